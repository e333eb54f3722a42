/* What the house signed beside its checkpoints: certificates of erasure, and the receipts in its answers. */
const Statements = (() => {
  const { BadInput, Broken, ED25519, encode, fromBase64, parseNote, signersOf } = Notes;
  const { canonical, isObject, moment, readDocument, timeText } = Leaves;
  const FIRST_LINE = "holdfast/statement/v1";
  const RECEIPT = "holdfast/receipt/v1";
  const WITHIN_S = 10;
  const MOST_STEPS = 63;
  const SHRED = "holdfast/shred-certificate/v1";
  const CLIENT_SHRED = "holdfast/client-shred-certificate/v1";
  // by type: the field that says whose erasure it is, the leaf that says it is done, and others that may be named
  const CERTIFICATES = {
    [SHRED]: { whom: "customer", done: "shred.done", others: ["shred.requested", "hold.kept"] },
    [CLIENT_SHRED]: { whom: "client", done: "client.shredded", others: ["client.shred_requested"] },
  };

  const logOf = (origin) => origin.slice(origin.lastIndexOf("/") + 1);
  const isCount = (value) => Number.isInteger(value) && value > 0;

  function statementText(body) {
    try {
      return `${FIRST_LINE}\n${canonical(body)}\n`;
    } catch (error) {
      throw new Broken(`a statement without canonical form: ${error.message}`);
    }
  }

  /** The key that signed `body`, or null when none of `keys` did; throws for a bad or malformed signature. */
  async function signerOf(body, line, keys) {
    if (typeof line !== "string") throw new Broken("a statement without signature", "unsigned_statement");
    const text = statementText(body);
    const note = parseNote(encode(`${text}\n${line}\n`));
    if (note.text !== text || note.lines.length !== 1) {
      throw new Broken("a statement carries one signature line", "malformed_statement");
    }
    const { good, bad } = await signersOf(note, keys);
    if (bad.length) throw new Broken(`the signature by ${bad[0].label} is bad`, "bad_signature");
    return good[0] ?? null;
  }

  const signersAmong = (keys) => keys.filter((key) => key.type === ED25519);

  // ── certificates ──

  function isHeld(type, held) {
    if (!isObject(held)) return false;
    const names = Object.keys(held).sort().join();
    if (type === CLIENT_SHRED) return names === "ended" && isCount(held.ended);
    return names === "fields,until" && isCount(held.fields) && moment(held.until) !== null;
  }

  function isCertificate(body) {
    if (!Object.hasOwn(CERTIFICATES, String(body.type))) return false;
    const texts = ["log", "refused_at", "erased_at", "copies", CERTIFICATES[body.type].whom];
    if (!texts.every((name) => typeof body[name] === "string")) return false;
    if ("held" in body && !isHeld(body.type, body.held)) return false;
    return Array.isArray(body.leaves) && body.leaves.length > 0 && body.leaves.every(
      (leaf) => isObject(leaf) && typeof leaf.id === "string" && Number.isInteger(leaf.index ?? 0) && leaf.index !== null,
    );
  }

  async function readCertificate(file, raw, keys) {
    const { signature, ...body } = readDocument(raw);
    if (keys.length) {
      if (!(await signerOf(body, signature, keys))) {
        throw new Broken("it is not signed by a key that was given", "forged_certificate");
      }
    } else {
      statementText(body);
    }
    if (!isCertificate(body)) throw new Broken("it is no certificate that this verifier knows");
    return { file, body, authentic: keys.length > 0 };
  }

  /** Read and authenticate certificates; what is wrong with one goes to `say`. */
  async function readCertificates(given, keys, say) {
    const found = [];
    for (const [file, raw] of given) {
      try {
        found.push(await readCertificate(file, raw, signersAmong(keys)));
      } catch (error) {
        if (!(error instanceof Broken)) throw error;
        const code = error.code === "forged_certificate" ? error.code : "bad_certificate";
        say(code, `certificate ${file}: ${error.message}`);
      }
    }
    return found;
  }

  function keptWrong(leaves, held) {
    const kept = leaves.filter((leaf) => leaf.type === "hold.kept");
    if (!kept.length || !held) {
      return !kept.length && !held ? "" : "it and its leaves differ in whether anything is kept";
    }
    const ends = kept.map((leaf) => moment(leaf.until));
    if (!kept.every((leaf) => Array.isArray(leaf.fields)) || ends.includes(null)) {
      return "a leaf about what is kept cannot be read";
    }
    const fields = new Set(kept.flatMap((leaf) => leaf.fields.map(String)));
    const until = ends.reduce((a, b) => (a > b ? a : b));
    return fields.size === held.fields && until === moment(held.until)
      ? "" : "the log says otherwise what is kept, or until when";
  }

  function certificateWrong(body, found, log) {
    if (body.log !== log) return `it is about the log ${body.log}`;
    const { whom, done, others } = CERTIFICATES[body.type];
    const about = [];
    for (const named of body.leaves) {
      if (!found.has(named.id)) return `leaf ${named.id} is not in the log`;
      const { index, leaf } = found.get(named.id);
      if ((named.index ?? index) !== index) return `leaf ${named.id} stands at ${index}, not at ${named.index}`;
      if (![done, ...others].includes(leaf.type) || leaf[whom] !== body[whom]) {
        return `leaf ${named.id} is not about the erasure of this ${whom}`;
      }
      about.push(leaf);
    }
    const ends = about.filter((leaf) => leaf.type === done);
    if (!ends.length) return "it names no leaf that says the erasure is done";
    const at = moment(body.erased_at);
    if (at === null || ends.some((leaf) => moment(leaf.erased) !== at)) return "the log gives another time of erasure";
    return body.type === SHRED ? keptWrong(about, body.held) : "";
  }

  function heldText(held) {
    if (!held) return "";
    if ("ended" in held) return `, entries of holds that ended with it: ${held.ended}`;
    return `, kept under a hold until ${held.until}: ${held.fields} fields`;
  }

  /** Hold each certificate against the leaves of the log. */
  function checkCertificates(certificates, found, origin, say) {
    return certificates.map(({ file, body, authentic }) => {
      const wrong = certificateWrong(body, found, logOf(origin));
      if (wrong) say("certificate_not_in_log", `certificate ${file}: ${wrong}`);
      const vouched = authentic ? "" : "; not authenticated: no Ed25519 key was given";
      const says = `refused at ${body.refused_at}, erased at ${body.erased_at}, copies: ${body.copies}`
        + heldText(body.held) + vouched;
      return { file, customer: body[CERTIFICATES[body.type].whom], accepted: !wrong && authentic, says: wrong || says };
    });
  }

  // ── receipts ──

  const bad = (why) => new Broken(why, "bad_receipt");

  function textOf(document, name) {
    if (typeof document[name] !== "string") throw bad(`its member \`${name}\` is missing`);
    return document[name];
  }

  /** The hash of 32 bytes that `text` is, or null. */
  function hashOf(text) {
    const raw = fromBase64(text);
    return raw?.length === Sha256.HASH ? raw : null;
  }

  /** Find the receipt in a saved answer, or in its `leaf`. */
  function readNamed(document) {
    const leaf = document.leaf ?? ("leaf" in document ? null : document);
    if (!isObject(leaf) || !isObject(leaf.receipt)) {
      throw bad("it holds no receipt: save the answer, or its member `leaf`");
    }
    const { receipt } = leaf;
    const texts = ["origin", "time", "root", "signature"].every((name) => typeof receipt[name] === "string");
    const numbers = ["within_s", "index", "size"].every((name) => Number.isInteger(receipt[name]));
    const steps = Array.isArray(receipt.path) && receipt.path.every((step) => typeof step === "string");
    if (!texts || !numbers || !steps) throw bad("it is not in the form of a receipt");
    if ((leaf.log ?? logOf(receipt.origin)) !== logOf(receipt.origin)) {
      throw bad("it names one log and is signed for another");
    }
    const name = ["approval", "decision"].find((each) => each in document);
    const about = name ? [name, textOf(document, name)] : null;
    const hash = hashOf(textOf(leaf, "hash"));
    if (!hash) throw bad("its member `hash` is no hash");
    return { id: textOf(leaf, "id"), about, hash, receipt };
  }

  /** When the leaf is due, in microseconds; throws when the receipt is not genuine. */
  async function dueOf({ hash, receipt }, keys) {
    const { origin, time, size, within_s: within } = receipt;
    const body = { type: RECEIPT, log: origin, root: receipt.root, size, time, within_s: within };
    const key = await signerOf(body, receipt.signature, keys);
    if (!key) {
      throw new Broken("no key that was given signed it; it is forged, or of another log", "forged_receipt");
    }
    if (key.name !== origin) throw bad("the key of another log signed it");
    if (within !== WITHIN_S) throw bad(`it promises no leaf within ${WITHIN_S} s`);
    const path = receipt.path.map(fromBase64);
    const root = fromBase64(receipt.root);
    if (!root || path.includes(null) || path.length > MOST_STEPS) throw bad("its hashes are not base64");
    if (!Tree.inclusionHolds(hash, receipt.index, size, path, root)) {
      throw bad("its path does not lead from the leaf to what was signed");
    }
    const due = (moment(time) ?? 0n) + BigInt(WITHIN_S) * 1_000_000n;
    if (moment(time) === null || moment(timeText(due)) === null) throw bad("it has no proper time");
    return due;
  }

  /** Read and authenticate receipts (name and content); what is wrong with one goes to `say`. */
  async function readReceipts(given, keys, say) {
    const signers = signersAmong(keys);
    if (given.length && keys.length && !signers.length) {
      throw new BadInput("Receipts are signed with the log's Ed25519 key; give that one.");
    }
    const found = [];
    for (const [file, raw] of given) {
      try {
        const named = readNamed(readDocument(raw));
        found.push({ file, ...named, due: signers.length ? await dueOf(named, signers) : null });
      } catch (error) {
        if (!(error instanceof Broken)) throw error;
        const code = ["bad_signature", "forged_receipt"].includes(error.code) ? error.code : "bad_receipt";
        say(code, `receipt ${file}: ${error.message}`);
      }
    }
    return found;
  }

  function receiptWrong(kept, origin, index, found) {
    if (kept.receipt.origin !== origin) return `it is about the log ${kept.receipt.origin}`;
    if (index === undefined) return "";
    const named = found.get(kept.id);
    if (named?.index !== index) return `the leaf with its hash stands at ${index} and is not ${kept.id}`;
    if (kept.about && named.leaf[kept.about[0]] !== kept.about[1]) {
      return `the leaf at ${index} is not about the ${kept.about.join(" ")} that the answer names`;
    }
    return "";
  }

  function promiseOf(kept, index, seen) {
    const where = index === undefined ? "" : `in the log at ${index}`;
    if (kept.due === null) return ["unknown", `${where || "not in the log"}; not authenticated: no key was given`];
    if (where) return ["kept", where];
    const due = timeText(kept.due);
    if (seen <= kept.due) {
      const reach = seen ? timeText(seen) : "its beginning";
      return ["not_yet_due", `promised for ${due}; this log reaches only to ${reach}: take a newer one`];
    }
    return ["broken", `promised for ${due} and not in the log, which reaches to ${timeText(seen)}`];
  }

  /** Hold each receipt against the log; `places` has the index of each leaf hash (hexadecimal) that is in it. */
  function checkReceipts(receipts, places, found, report, { say, accuse }) {
    const results = [];
    for (const kept of receipts) {
      const at = places.get(Notes.hex(kept.hash));
      const wrong = receiptWrong(kept, report.origin, at, found);
      if (wrong) {
        say("bad_receipt", `receipt ${kept.file}: ${wrong}`);
      } else {
        const [promise, says] = promiseOf(kept, at, moment(report.lastLeaf) ?? 0n);
        results.push({ file: kept.file, leaf: kept.id, promise, index: at ?? null, says });
        if (promise === "broken") accuse("broken_promise", `receipt ${kept.file}: ${says}`);
      }
    }
    return results;
  }

  return { checkCertificates, checkReceipts, readCertificates, readReceipts };
})();
