/* One verification, from the files to the verdict.
 *
 * It does what `holdfast verify` does, with the same codes and the same words for the outcome: hashes every entry anew,
 * builds the tree of RFC 6962 from them, compares every tile and the root, and checks what the house signed with the
 * Ed25519 key that the reader gives: the checkpoint, certificates of erasure, receipts. It opens no connection.
 */
const Verifier = (() => {
  const { BadInput, Broken, parseHead, parseNote, parseVkey, signersOf, toBase64 } = Notes;
  const { Files, WIDTH, certificatesIn, tilePath } = LogFiles;
  const { CompactRange, fold, inclusionHolds, inclusionPlan, leafHash, same, subtreeRoot } = Tree;
  const MOST_FINDINGS = 50;

  const rest = () => new Promise((done) => { setTimeout(done, 0); });

  class Report {
    constructor(withKey) {
      Object.assign(this, {
        withKey, origin: "", size: 0, root: "", rootHash: null, signedBy: [], unchecked: [], firstLeaf: "", lastLeaf: "",
        types: [], certificates: [], receipts: [], notes: [], findings: [], files: null,
      });
      this.say = (code, message) => this.find("integrity", code, message);
    }

    find(kind, code, message) {
      if (kind !== "integrity" || this.findings.length < MOST_FINDINGS) this.findings.push({ kind, code, message });
    }

    /** A word of `holdfast verify --json`: what is broken outweighs history, that a promise, and that the want of a key. */
    get outcome() {
      const kinds = this.findings.map((found) => found.kind);
      if (kinds.includes("integrity")) return "broken";
      if (kinds.includes("history")) return "history_broken";
      if (kinds.includes("promise")) return "promise_broken";
      return this.signedBy.length ? "authentic" : "not_authenticated";
    }
  }

  /** Goes through all entries; compares tiles; finds the roots at the wanted sizes and the places of wanted leaves. */
  class Replay {
    constructor(files, report, { sizes, hashes, progress, read }) {
      Object.assign(this, { files, report, progress, read, sizes: new Set(sizes), hashes: new Set(hashes) });
      this.tree = new CompactRange();
      this.roots = new Map([[0, this.tree.root()]]);
      this.places = new Map();
      this.rows = [];
    }

    async compare(level, n, computed) {
      const path = tilePath(level, n, computed.length);
      let given;
      try {
        given = await this.files.tile(level, n);
      } catch (error) {
        if (!(error instanceof Broken)) throw error;
        this.report.say(error.code, error.message);
        return;
      }
      computed.forEach((hash, i) => {
        if (same(hash, given[i])) return;
        const what = level === 0 ? `leaf ${n * WIDTH + i}` : `hash ${n * WIDTH + i} of level ${level}`;
        const code = level === 0 ? "edited_leaf" : "edited_tile";
        this.report.say(code, `${what} is not what ${path} says: one of the two was edited`);
      });
    }

    async grow(level, hashes) {
      this.rows[level] ??= { n: 0, hashes: [] };
      const row = this.rows[level];
      row.hashes.push(...hashes);
      if (row.hashes.length < WIDTH) return;
      this.rows[level] = { n: row.n + 1, hashes: [] };
      await this.compare(level, row.n, row.hashes);
      await this.grow(level + 1, [subtreeRoot(row.hashes)]);
    }

    async bundle(n) {
      const entries = await this.files.tile("entries", n);
      entries.forEach((entry, i) => this.read(n * WIDTH + i, entry));
      const hashes = entries.map(leafHash);
      for (const hash of hashes) {
        const text = Notes.hex(hash);
        if (this.hashes.has(text) && !this.places.has(text)) this.places.set(text, this.tree.size);
        this.tree.append(hash);
        if (this.sizes.has(this.tree.size)) this.roots.set(this.tree.size, this.tree.root());
      }
      await this.grow(0, hashes);
    }

    /** Whether all entries were there; if not, the report says what is missing. */
    async run() {
      try {
        for (let n = 0; n * WIDTH < this.files.size; n += 1) {
          await this.bundle(n);
          this.progress(this.tree.size, this.files.size);
          if (n % 16 === 15) await rest();
        }
        for (const [level, row] of this.rows.entries()) if (row.hashes.length) await this.compare(level, row.n, row.hashes);
      } catch (error) {
        if (!(error instanceof Broken)) throw error;
        this.report.say(error.code, error.message);
        return false;
      }
      this.roots.set(this.tree.size, this.tree.root());
      return true;
    }
  }

  async function checkHead(note, head, keys, report) {
    const { good, bad, absent, unchecked } = await signersOf(note, keys);
    for (const key of bad) report.say("bad_signature", `the signature by ${key.label} is bad`);
    if (bad.length) return;
    report.signedBy = good.map((key) => key.label);
    report.unchecked = unchecked.map((key) => key.label);
    for (const key of absent) {
      report.say("signature_missing", `the checkpoint does not carry the signature by ${key.label}`);
    }
    if (keys.length && keys.every((key) => key.name !== head.origin)) {
      report.say("wrong_log", `no given key belongs to this log, ${head.origin}`);
    }
  }

  async function earlierHead(raw, keys, origin) {
    let note;
    let head;
    try {
      note = parseNote(raw);
      head = parseHead(note.text);
    } catch (error) {
      throw new BadInput(`The earlier checkpoint does not verify: ${error.message}.`);
    }
    const { good, bad, unchecked } = await signersOf(note, keys);
    if (bad.length || (keys.length && !good.length && !unchecked.length)) {
      throw new BadInput("The earlier checkpoint does not verify: no given key signed it.");
    }
    if (head.origin !== origin) throw new BadInput(`The earlier checkpoint is of another log, ${head.origin}.`);
    return head;
  }

  function judgeHistory(report, head, earlier, roots) {
    if (!earlier) {
      report.notes.push("First sight: no earlier checkpoint was given to hold this one against.");
      return;
    }
    const wrong = (code, message) => report.find("history", code, message);
    if (head.size < earlier.size) {
      wrong("rolled_back", `the log was rolled back: it has ${head.size} leaves, and had ${earlier.size}`);
    } else if (head.size === earlier.size && !same(head.root, earlier.root)) {
      wrong("split_view", `two histories of ${head.size} leaves: the earlier checkpoint has another root`);
    } else if (!same(roots.get(earlier.size), earlier.root)) {
      wrong("not_consistent", `the first ${earlier.size} leaves are not those of the earlier checkpoint`);
    } else {
      report.notes.push(`Continues the ${earlier.size} leaves of the earlier checkpoint.`);
    }
  }

  async function readSigned(source, receipts, keys, report) {
    const kept = await Statements.readReceipts(receipts, keys, report.say);
    let certificates = [];
    try {
      certificates = await Statements.readCertificates(await certificatesIn(source), keys, report.say);
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
      report.say(error.code, error.message);
    }
    return { kept, certificates };
  }

  async function judge(source, report, keys, { since, receipts, progress }) {
    const raw = await source.read("checkpoint", Notes.MOST_BYTES);
    if (!raw) throw new BadInput("This folder holds no log: there is no file named checkpoint in it.");
    const note = parseNote(raw);
    const head = parseHead(note.text);
    await checkHead(note, head, keys, report);
    Object.assign(report, { origin: head.origin, size: head.size, root: toBase64(head.root), rootHash: head.root });
    const earlier = since ? await earlierHead(since, keys, head.origin) : null;
    const { kept, certificates } = await readSigned(source, receipts, keys, report);
    report.files = new Files(source, head.size);
    const named = certificates.flatMap(({ body }) => body.leaves.map((leaf) => leaf.id));
    const leaves = new Leaves.Reader(report, report.say, [...named, ...kept.map((one) => one.id)]);
    const replay = new Replay(report.files, report, {
      sizes: earlier ? [earlier.size] : [], hashes: kept.map((one) => Notes.hex(one.hash)), progress,
      read: (index, entry) => leaves.read(index, entry),
    });
    const complete = await replay.run();
    leaves.finish();
    if (!complete) return;
    if (!same(replay.roots.get(head.size), head.root)) {
      report.say("wrong_root", "the entries do not give the root that the checkpoint names");
    }
    report.certificates = Statements.checkCertificates(certificates, leaves.found, head.origin, report.say);
    report.receipts = Statements.checkReceipts(kept, replay.places, leaves.found, report, {
      say: report.say, accuse: (code, message) => report.find("promise", code, message),
    });
    if (report.outcome !== "broken") judgeHistory(report, head, earlier, replay.roots);
  }

  /**
   * Verify a log. `source` gives its files; `vkeys` are texts; `since` is an earlier checkpoint's bytes or null;
   * `receipts` are pairs of name and content. Throws BadInput for what the reader gave; whatever is wrong with the log is
   * in the report.
   */
  async function verifyLog(source, { vkeys = [], since = null, receipts = [], progress = () => {} } = {}) {
    const keys = vkeys.map(parseVkey);
    const report = new Report(keys.length > 0);
    try {
      await judge(source, report, keys, { since, receipts, progress });
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
      report.say(error.code, error.message);
    }
    if (report.unchecked.length) {
      report.notes.push("The ML-DSA-44 signature is there; only holdfast verify can check it, a browser cannot.");
    }
    return report;
  }

  /** Prove that leaf `index` is in a verified log; the proof is made from the tiles and held against the root. */
  async function proveLeaf(report, index) {
    const entry = await report.files.entry(index);
    const proof = [];
    for (const nodes of inclusionPlan(index, report.size)) {
      proof.push(fold(await Promise.all(nodes.map((node) => report.files.node(node)))));
    }
    const holds = inclusionHolds(leafHash(entry), index, report.size, proof, report.rootHash);
    return { entry, proof, holds };
  }

  return { proveLeaf, verifyLog };
})();
