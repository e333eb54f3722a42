"use strict";

/* The offline verifier of a Holdfast log. It runs in a browser from a file, and its core runs in Node for tests.
 *
 * It does what `holdfast verify` does: hashes every entry anew, builds the tree of RFC 6962 from them, compares every
 * tile and the root, and checks the Ed25519 signature of the key that the reader gives. It opens no connection.
 */
const Verifier = (() => {
  const WIDTH = 256;
  const HASH = 32;
  const MOST_FINDINGS = 50;
  const utf8 = new TextDecoder("utf-8", { fatal: true });
  const encode = (text) => new TextEncoder().encode(text);

  /** Something about the files is wrong. */
  class Broken extends Error {}
  /** What the reader gave is wrong: a key, or an earlier checkpoint. */
  class BadInput extends Error {}

  // ── SHA-256 (FIPS 180-4), synchronous: a promise for each of two hashes a leaf would take most of the time ──

  const K = new Uint32Array([
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
  ]);
  const W = new Uint32Array(64);

  function compress(state, block, at) {
    for (let i = 0; i < 16; i += 1, at += 4) {
      W[i] = (block[at] << 24) | (block[at + 1] << 16) | (block[at + 2] << 8) | block[at + 3];
    }
    for (let i = 16; i < 64; i += 1) {
      const x = W[i - 15];
      const y = W[i - 2];
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      W[i] = W[i - 16] + s0 + W[i - 7] + s1;
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let i = 0; i < 64; i += 1) {
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i] + W[i]) | 0;
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g; g = f; f = e; e = (d + t1) | 0;
      d = c; c = b; b = a; a = (t1 + t2) | 0;
    }
    state[0] += a; state[1] += b; state[2] += c; state[3] += d;
    state[4] += e; state[5] += f; state[6] += g; state[7] += h;
  }

  function sha256(message) {
    const state = new Uint32Array([
      0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
    ]);
    const whole = message.length - (message.length % 64);
    for (let at = 0; at < whole; at += 64) compress(state, message, at);
    const rest = message.length - whole;
    const tail = new Uint8Array(rest < 56 ? 64 : 128);
    tail.set(message.subarray(whole));
    tail[rest] = 0x80;
    const view = new DataView(tail.buffer);
    view.setUint32(tail.length - 8, Math.floor(message.length / 0x20000000));
    view.setUint32(tail.length - 4, (message.length << 3) >>> 0);
    for (let at = 0; at < tail.length; at += 64) compress(state, tail, at);
    const digest = new Uint8Array(HASH);
    const out = new DataView(digest.buffer);
    state.forEach((word, i) => out.setUint32(4 * i, word));
    return digest;
  }

  // ── the tree of RFC 6962 ──

  const same = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]);

  function leafHash(entry) {
    const message = new Uint8Array(1 + entry.length);
    message.set(entry, 1);
    return sha256(message);
  }

  function nodeHash(left, right) {
    const message = new Uint8Array(1 + 2 * HASH);
    message[0] = 1;
    message.set(left, 1);
    message.set(right, 1 + HASH);
    return sha256(message);
  }

  /** Join the roots of complete subtrees, largest first. */
  const fold = (hashes) => hashes.reduceRight((joined, left) => (joined ? nodeHash(left, joined) : left), null);

  function subtreeRoot(hashes) {
    let row = hashes;
    while (row.length > 1) {
      const next = [];
      for (let i = 0; i < row.length; i += 2) next.push(nodeHash(row[i], row[i + 1]));
      row = next;
    }
    return row[0];
  }

  class CompactRange {
    constructor() {
      this.size = 0;
      this.nodes = [];
    }

    append(leaf) {
      let hash = leaf;
      for (let at = this.size; at % 2 === 1; at = Math.floor(at / 2)) hash = nodeHash(this.nodes.pop(), hash);
      this.nodes.push(hash);
      this.size += 1;
    }

    root() {
      return this.nodes.length ? fold(this.nodes) : sha256(new Uint8Array(0));
    }
  }

  /** Complete subtrees [level, index] that cover [begin, end), largest first. */
  function completeSubtrees(begin, end) {
    const nodes = [];
    let at = begin;
    while (at < end) {
      const level = Math.floor(Math.log2(end - at));
      nodes.push([level, at / 2 ** level]);
      at += 2 ** level;
    }
    return nodes;
  }

  /** PATH(index, D[size]) of RFC 6962 §2.1.1 as groups of complete subtrees, from the leaf's sibling up. */
  function inclusionPlan(index, size) {
    const plan = [];
    let begin = 0;
    let end = size;
    while (end - begin > 1) {
      let half = 1;
      while (half * 2 < end - begin) half *= 2;
      const split = begin + half;
      if (index < split) {
        plan.push(completeSubtrees(split, end));
        end = split;
      } else {
        plan.push(completeSubtrees(begin, split));
        begin = split;
      }
    }
    return plan.reverse();
  }

  /** RFC 9162 §2.1.3.2. */
  function inclusionHolds(leaf, index, size, proof, root) {
    if (!(index >= 0 && index < size) || leaf.length !== HASH || root.length !== HASH) return false;
    let at = index;
    let last = size - 1;
    let computed = leaf;
    for (const step of proof) {
      if (last === 0 || step.length !== HASH) return false;
      if (at % 2 === 1 || at === last) {
        computed = nodeHash(step, computed);
        while (at % 2 === 0 && at !== 0) {
          at /= 2;
          last = Math.floor(last / 2);
        }
      } else {
        computed = nodeHash(computed, step);
      }
      at = Math.floor(at / 2);
      last = Math.floor(last / 2);
    }
    return last === 0 && same(computed, root);
  }

  // ── notes, keys and checkpoints (C2SP signed-note, tlog-checkpoint) ──

  function fromBase64(text) {
    try {
      const raw = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
      return toBase64(raw) === text ? raw : null;
    } catch {
      return null;
    }
  }

  const toBase64 = (raw) => btoa(Array.from(raw, (byte) => String.fromCharCode(byte)).join(""));
  const hex = (raw) => Array.from(raw, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const isName = (name) => name !== "" && !/[+\s\p{Z}\p{Cc}]/u.test(name);
  const ED25519 = 1;
  const ML_DSA_44 = 6;
  const PUBLIC_BYTES = { [ED25519]: 32, [ML_DSA_44]: 1312 };

  function keyId(name, type, publicKey) {
    const head = encode(`${name}\n`);
    const message = new Uint8Array(head.length + 1 + publicKey.length);
    message.set(head);
    message[head.length] = type;
    message.set(publicKey, head.length + 1);
    return sha256(message).subarray(0, 4);
  }

  function parseVkey(text) {
    const [name, id, ...rest] = text.trim().split("+");
    const raw = rest.length ? fromBase64(rest.join("+")) : null;
    if (!raw || !raw.length || !isName(name)) throw new BadInput("This is no key of a log: it is name+hash+key.");
    const type = raw[0];
    if (raw.length !== 1 + PUBLIC_BYTES[type]) throw new BadInput("This key is neither Ed25519 nor ML-DSA-44.");
    const publicKey = raw.subarray(1);
    if (hex(keyId(name, type, publicKey)) !== id) {
      throw new BadInput("The key's hash does not fit: a part of it is mistyped or missing.");
    }
    return { name, id, type, publicKey, label: `${name}+${id}` };
  }

  function parseNote(raw) {
    let text;
    try {
      text = utf8.decode(raw);
    } catch {
      throw new Broken("The checkpoint is not UTF-8.");
    }
    const at = text.lastIndexOf("\n\n");
    if (at < 0 || !text.endsWith("\n") || raw.length > 1e6 || /[\x00-\x09\x0b-\x1f]/.test(text)) {
      throw new Broken("The checkpoint is not a signed note.");
    }
    const lines = text.slice(at + 2, -1).split("\n").map((row) => {
      const [dash, name, encoded, ...more] = row.split(" ");
      const blob = fromBase64(encoded ?? "");
      if (dash !== "\u2014" || more.length || !isName(name ?? "") || !blob || blob.length <= 4) {
        throw new Broken("A signature line of the checkpoint is malformed.");
      }
      return { name, id: hex(blob.subarray(0, 4)), signature: blob.subarray(4) };
    });
    return { text: text.slice(0, at + 1), lines };
  }

  function parseHead(text) {
    const lines = text.split("\n");
    const [origin, size, root] = lines;
    const hash = fromBase64(root ?? "");
    const proper = lines.length >= 4 && lines.at(-1) === "" && lines.slice(0, -1).every((line) => line !== "");
    if (!proper || !/^(0|[1-9][0-9]{0,14})$/.test(size) || !hash || hash.length !== HASH) {
      throw new Broken("The checkpoint does not name a size and a root.");
    }
    return { origin, size: Number(size), root: hash };
  }

  async function ed25519Verifies(publicKey, signature, message) {
    const subtle = globalThis.crypto?.subtle;
    if (!subtle) throw new BadInput("This browser offers no cryptography to pages from files. Use `holdfast verify`.");
    let key;
    try {
      key = await subtle.importKey("raw", publicKey, { name: "Ed25519" }, false, ["verify"]);
    } catch (error) {
      if (error.name === "NotSupportedError") {
        throw new BadInput("This browser cannot check Ed25519 signatures. Use a newer one, or `holdfast verify`.");
      }
      return false;
    }
    return subtle.verify({ name: "Ed25519" }, key, signature, message);
  }

  /** Check the signatures of `keys` under a note; what is wrong goes to `say`. Returns the labels of good keys. */
  async function checkSignatures(note, keys, say, notes) {
    const good = [];
    for (const key of keys) {
      const lines = note.lines.filter((line) => line.name === key.name && line.id === key.id);
      if (!lines.length) say(`The checkpoint does not carry the signature by ${key.label}.`);
      for (const line of lines) {
        if (key.type === ML_DSA_44) {
          notes.push("The ML-DSA-44 signature is there; only `holdfast verify` can check it, a browser cannot.");
        } else if (await ed25519Verifies(key.publicKey, line.signature, encode(note.text))) {
          if (!good.includes(key.label)) good.push(key.label);
        } else {
          say(`The signature by ${key.label} is bad.`);
        }
      }
    }
    return good;
  }

  // ── files of a log (C2SP tlog-tiles) ──

  function tilePath(level, n, width) {
    let path = String(n % 1000).padStart(3, "0");
    for (let rest = Math.floor(n / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
      path = `x${String(rest % 1000).padStart(3, "0")}/${path}`;
    }
    return `tile/${level}/${path}${width < WIDTH ? `.p/${width}` : ""}`;
  }

  function decodeBundle(body) {
    const entries = [];
    let at = 0;
    while (at < body.length) {
      const length = (body[at] << 8) | body[at + 1];
      if (at + 2 + length > body.length) throw new Broken("A bundle of entries is cut off.");
      entries.push(body.subarray(at + 2, at + 2 + length));
      at += 2 + length;
    }
    return entries;
  }

  function splitHashes(body) {
    if (body.length % HASH || body.length > WIDTH * HASH) throw new Broken("A tile does not hold whole hashes.");
    return Array.from({ length: body.length / HASH }, (_, i) => body.subarray(i * HASH, (i + 1) * HASH));
  }

  /** A log of `size` leaves whose files `read(path)` gives, or null. */
  class Files {
    constructor(read, size) {
      this.read = read;
      this.size = size;
    }

    /** Entries (level "entries") or hashes of a tile, as many as this log has there. */
    async tile(level, n) {
      const unit = level === "entries" ? 1 : WIDTH ** level;
      const width = Math.min(WIDTH, Math.floor(this.size / unit) - n * WIDTH);
      const path = tilePath(level, n, width);
      const body = (await this.read(path)) ?? (await this.read(tilePath(level, n, WIDTH)));
      if (!body) throw new Broken(`${path} is missing.`);
      const parts = level === "entries" ? decodeBundle(body) : splitHashes(body);
      if (parts.length < width) throw new Broken(`${path} is too short.`);
      return parts.slice(0, width);
    }

    async node([level, index]) {
      const inside = level % 8;
      const span = 2 ** inside;
      const perTile = WIDTH / span;
      const hashes = await this.tile((level - inside) / 8, Math.floor(index / perTile));
      const first = (index % perTile) * span;
      return subtreeRoot(hashes.slice(first, first + span));
    }

    async entry(index) {
      return (await this.tile("entries", Math.floor(index / WIDTH)))[index % WIDTH];
    }
  }

  // ── leaves ──

  /** RFC 8785 for strings, whole numbers, booleans, null, lists and objects. */
  function canonical(value) {
    if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
    if (value !== null && typeof value === "object") {
      const parts = Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`);
      return `{${parts.join(",")}}`;
    }
    if (typeof value === "number" && !Number.isSafeInteger(value)) throw new Broken("A number is not whole.");
    return JSON.stringify(value);
  }

  const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;

  /** The leaf in an entry, or null when it is not one. */
  function parseLeaf(entry) {
    try {
      const text = utf8.decode(entry);
      const leaf = JSON.parse(text);
      const texts = ["type", "id", "time"].every((name) => typeof leaf[name] === "string");
      return texts && Number.isInteger(leaf.v) && TIME.test(leaf.time) && canonical(leaf) === text ? leaf : null;
    } catch {
      return null;
    }
  }

  // ── one verification ──

  const rest = () => new Promise((done) => { setTimeout(done, 0); });

  /** Goes through all entries; compares tiles; returns the roots at the wanted sizes. */
  async function replay(files, wanted, say, progress, onLeaf) {
    const tree = new CompactRange();
    const roots = new Map([[0, tree.root()]]);
    const rows = [];

    async function compare(level, n, computed) {
      const given = await files.tile(level, n);
      computed.forEach((hash, i) => {
        if (!same(hash, given[i])) {
          const what = level === 0 ? `Leaf ${n * WIDTH + i}` : `Hash ${n * WIDTH + i} of level ${level}`;
          say(`${what} is not what ${tilePath(level, n, computed.length)} says: one of the two was edited.`);
        }
      });
    }

    async function grow(level, hashes) {
      rows[level] ??= { n: 0, hashes: [] };
      const row = rows[level];
      row.hashes.push(...hashes);
      if (row.hashes.length === WIDTH) {
        const full = row.hashes;
        await compare(level, row.n, full);
        rows[level] = { n: row.n + 1, hashes: [] };
        await grow(level + 1, [subtreeRoot(full)]);
      }
    }

    for (let n = 0; n * WIDTH < files.size; n += 1) {
      const entries = await files.tile("entries", n);
      const hashes = entries.map(leafHash);
      entries.forEach((entry, i) => onLeaf(n * WIDTH + i, entry));
      for (const hash of hashes) {
        tree.append(hash);
        if (wanted.has(tree.size)) roots.set(tree.size, tree.root());
      }
      await grow(0, hashes);
      progress(tree.size, files.size);
      if (n % 16 === 15) await rest();
    }
    for (const [level, row] of rows.entries()) if (row.hashes.length) await compare(level, row.n, row.hashes);
    roots.set(tree.size, tree.root());
    return roots;
  }

  async function earlierHead(raw, keys, origin) {
    let note;
    let head;
    try {
      note = parseNote(raw);
      head = parseHead(note.text);
    } catch (error) {
      throw new BadInput(`The earlier checkpoint: ${error.message}`);
    }
    if (head.origin !== origin) throw new BadInput(`The earlier checkpoint is of another log, ${head.origin}.`);
    const wrong = [];
    await checkSignatures(note, keys, (text) => wrong.push(text), []);
    if (wrong.length) throw new BadInput(`The earlier checkpoint: ${wrong[0]}`);
    return head;
  }

  function leafReader(report, say) {
    let before = "";
    return (index, entry) => {
      const leaf = parseLeaf(entry);
      if (!leaf) {
        say(`Leaf ${index} is no canonical JSON object with type, id and time.`);
        return;
      }
      if (leaf.time < before) say(`Leaf ${index} lies before the leaf that precedes it.`);
      before = leaf.time;
      report.firstLeaf ||= leaf.time;
      report.lastLeaf = leaf.time;
      report.types[leaf.type] = (report.types[leaf.type] ?? 0) + 1;
    };
  }

  function compareHistory(report, head, earlier, roots) {
    if (!earlier) return;
    const root = roots.get(earlier.size);
    if (head.size < earlier.size) {
      report.history.push(`The log was rolled back: it has ${head.size} leaves, and had ${earlier.size}.`);
    } else if (!root || !same(root, earlier.root)) {
      report.history.push(`The first ${earlier.size} leaves are not those of the earlier checkpoint.`);
    } else {
      report.notes.push(`Continues the ${earlier.size} leaves of the earlier checkpoint.`);
    }
  }

  function verdict(report) {
    if (report.findings.length) return "broken";
    if (report.history.length) return "history_broken";
    return report.signedBy.length ? "authentic" : "not_authenticated";
  }

  /**
   * Verify a log. `read(path)` gives a file's bytes or null; `vkeys` are texts; `since` is an earlier checkpoint's
   * bytes or null. Throws BadInput for what the reader gave; whatever is wrong with the log is in the report.
   */
  async function verifyLog(read, { vkeys = [], since = null, progress = () => {} } = {}) {
    const keys = vkeys.map(parseVkey);
    const report = {
      verdict: "", origin: "", size: 0, root: "", signedBy: [], firstLeaf: "", lastLeaf: "", types: {},
      notes: [], findings: [], history: [], files: null, rootHash: null,
    };
    const say = (text) => { if (report.findings.length < MOST_FINDINGS) report.findings.push(text); };
    try {
      const raw = await read("checkpoint");
      if (!raw) throw new BadInput("This folder holds no log: there is no file named checkpoint in it.");
      const note = parseNote(raw);
      const head = parseHead(note.text);
      Object.assign(report, { origin: head.origin, size: head.size, root: toBase64(head.root), rootHash: head.root });
      report.signedBy = await checkSignatures(note, keys, say, report.notes);
      if (keys.length && keys.every((key) => key.name !== head.origin)) say("No given key belongs to this log.");
      const earlier = since ? await earlierHead(since, keys, head.origin) : null;
      report.files = new Files(read, head.size);
      const wanted = new Set(earlier ? [earlier.size] : []);
      const roots = await replay(report.files, wanted, say, progress, leafReader(report, say));
      if (!same(roots.get(head.size), head.root)) say("The entries do not give the root that the checkpoint names.");
      compareHistory(report, head, earlier, roots);
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
      say(error.message);
    }
    report.verdict = verdict(report);
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

  return {
    BadInput, Broken, CompactRange, canonical, decodeBundle, fromBase64, hex, inclusionHolds, inclusionPlan, leafHash,
    parseHead, parseLeaf, parseNote, parseVkey, proveLeaf, same, sha256, tilePath, toBase64, utf8, verifyLog,
  };
})();

/* The page: what is chosen, what is shown. */
const Page = (() => {
  const ROWS = 50;
  const VERDICTS = {
    authentic: ["good", "Authentic", "The log is whole, and the key that you gave has signed it."],
    not_authenticated: [
      "unsure", "Consistent with itself, not authenticated",
      "Every hash fits, but nothing says who made this log. Paste the key from your contract.",
    ],
    broken: ["bad", "Broken", "Do not rely on this log. What is wrong stands below."],
    history_broken: ["bad", "Another history", "The log is whole in itself, but it contradicts the earlier checkpoint."],
  };

  function make(tag, text = "", attributes = {}) {
    const element = document.createElement(tag);
    element.textContent = text;
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  }

  const byId = (id) => document.getElementById(id);

  /** A reader of the chosen folder; the folder's own name is the first part of every path and is dropped. */
  function readerOf(list) {
    const files = new Map();
    for (const file of list) files.set(file.webkitRelativePath.split("/").slice(1).join("/") || file.name, file);
    return async (path) => {
      const file = files.get(path);
      return file ? new Uint8Array(await file.arrayBuffer()) : null;
    };
  }

  class Leaves {
    constructor(report) {
      this.report = report;
      this.first = 0;
    }

    async show(first) {
      const { size, files } = this.report;
      this.first = Math.max(0, Math.min(first, Math.max(0, size - 1)));
      const rows = [];
      for (let index = this.first; index < Math.min(size, this.first + ROWS); index += 1) {
        rows.push(this.row(index, Verifier.parseLeaf(await files.entry(index)) ?? {}));
      }
      byId("leaves").replaceChildren(...rows);
      byId("range").textContent = size
        ? `Leaves ${this.first} to ${this.first + rows.length - 1} of ${size}` : "The log is empty.";
      byId("earlier").disabled = this.first === 0;
      byId("later").disabled = this.first + ROWS >= size;
    }

    row(index, leaf) {
      const row = make("tr");
      const { v, type, id, time, ...fields } = leaf;
      const open = make("button", String(index), { type: "button", "aria-label": `Prove leaf ${index}` });
      open.addEventListener("click", () => this.prove(index));
      const cell = make("th", "", { scope: "row" });
      cell.append(open);
      row.append(cell, make("td", time ?? ""), make("td", type ?? "not readable"), make("td", Verifier.canonical(fields)));
      return row;
    }

    async prove(index) {
      const { entry, proof, holds } = await Verifier.proveLeaf(this.report, index);
      const leaf = Verifier.parseLeaf(entry);
      byId("proof-title").textContent = `Leaf ${index}`;
      byId("proof-verdict").textContent = holds
        ? `In the log: ${proof.length} hashes lead from this leaf to the root in the checkpoint.`
        : "Not in the log: no way leads from this leaf to the root in the checkpoint.";
      byId("proof-verdict").className = holds ? "good" : "bad";
      byId("proof-leaf").textContent = leaf ? JSON.stringify(leaf, null, 2) : Verifier.hex(entry);
      byId("proof-hashes").textContent = [`index ${index}`, ...proof.map(Verifier.toBase64)].join("\n");
      byId("proof").hidden = false;
      byId("proof-title").focus();
    }

    async find(text) {
      const needle = text.trim();
      for (let index = this.first + 1; needle && index < this.report.size; index += 1) {
        const entry = Verifier.utf8.decode(await this.report.files.entry(index));
        if (entry.includes(needle)) return this.show(index);
      }
      byId("range").textContent = `Nothing found after leaf ${this.first}.`;
      return undefined;
    }
  }

  function list(id, title, texts) {
    const part = byId(id);
    part.hidden = texts.length === 0;
    part.replaceChildren(make("h3", title), make("ul"));
    part.lastChild.append(...texts.map((text) => make("li", text)));
  }

  function show(report) {
    const [look, title, text] = VERDICTS[report.verdict];
    byId("result").hidden = false;
    byId("verdict").className = look;
    byId("verdict-title").textContent = title;
    byId("verdict-text").textContent = text;
    const facts = {
      Log: report.origin, Leaves: String(report.size), Root: report.root,
      "Signed by": report.signedBy.join(", ") || "not checked",
      From: report.firstLeaf || "–", To: report.lastLeaf || "–",
    };
    byId("facts").replaceChildren(
      ...Object.entries(facts).flatMap(([name, value]) => [make("dt", name), make("dd", value)]),
    );
    list("findings", "What is wrong", [...report.findings, ...report.history]);
    list("notes", "Notes", report.notes);
    list("types", "Leaves by kind", Object.entries(report.types).sort().map(([type, count]) => `${type}: ${count}`));
    byId("verdict-title").focus();
  }

  async function run() {
    const busy = byId("progress");
    byId("problem").textContent = "";
    byId("proof").hidden = true;
    byId("result").hidden = true;
    busy.hidden = false;
    try {
      const chosen = byId("folder").files;
      if (!chosen.length) throw new Verifier.BadInput("Choose the folder of the log first.");
      const kept = byId("since").files[0];
      const report = await Verifier.verifyLog(readerOf(chosen), {
        vkeys: byId("keys").value.split("\n").map((line) => line.trim()).filter(Boolean),
        since: kept ? new Uint8Array(await kept.arrayBuffer()) : null,
        progress: (done, all) => { busy.value = done; busy.max = all; },
      });
      show(report);
      const leaves = new Leaves(report);
      byId("browser").hidden = report.findings.length > 0;
      if (!byId("browser").hidden) await leaves.show(0);
      byId("earlier").onclick = () => leaves.show(leaves.first - ROWS);
      byId("later").onclick = () => leaves.show(leaves.first + ROWS);
      byId("search").onsubmit = (event) => { event.preventDefault(); leaves.find(byId("needle").value); };
    } catch (error) {
      byId("problem").textContent = error instanceof Verifier.BadInput ? error.message : `Stopped: ${error.message}`;
    } finally {
      busy.hidden = true;
    }
  }

  function start() {
    byId("choose").addEventListener("submit", (event) => { event.preventDefault(); run(); });
  }

  return { start };
})();

if (typeof module === "object") module.exports = { ...Verifier, Page };
else Page.start();
