/* Signed notes, keys and checkpoints (C2SP signed-note, tlog-checkpoint), and the statements of a house. */
const Notes = (() => {
  const { HASH, sha256 } = Sha256;
  const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const encode = (text) => new TextEncoder().encode(text);
  const hex = (raw) => Array.from(raw, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const toBase64 = (raw) => btoa(Array.from(raw, (byte) => String.fromCharCode(byte)).join(""));
  const ED25519 = 1;
  const ML_DSA_44 = 6;
  const PUBLIC_BYTES = { [ED25519]: 32, [ML_DSA_44]: 1312 };
  const MOST_BYTES = 1_000_000;
  const MOST_SIGNATURES = 100;
  const MOST_SIZE = 2n ** 63n - 1n;
  const EMPTY_ROOT = sha256(new Uint8Array(0));

  /** Something about the files is wrong; `code` is the one that `holdfast verify --json` gives. */
  class Broken extends Error {
    constructor(message, code = "integrity_broken") {
      super(message);
      this.code = code;
    }
  }
  /** What the reader gave is wrong: a key, or an earlier checkpoint. */
  class BadInput extends Error {}

  function fromBase64(text) {
    try {
      const raw = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
      return toBase64(raw) === text ? raw : null;
    } catch {
      return null;
    }
  }

  const isName = (name) => name !== "" && !/[+\s\p{Z}\p{Cc}]/u.test(name);

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

  const malformed = (why) => new Broken(`malformed note: ${why}`, "malformed_note");

  function parseLine(row) {
    const [dash, name, encoded, ...more] = row.split(" ");
    const blob = fromBase64(encoded ?? "");
    if (dash !== "\u2014" || more.length || !isName(name ?? "") || !blob || blob.length <= 4) {
      throw malformed("a signature line is not of the form '\u2014 name signature'");
    }
    return { name, id: hex(blob.subarray(0, 4)), signature: blob.subarray(4) };
  }

  function parseNote(raw) {
    if (raw.length > MOST_BYTES) throw malformed("it is longer than a megabyte");
    let text;
    try {
      text = utf8.decode(raw);
    } catch {
      throw malformed("it is not UTF-8");
    }
    if (/[\x00-\x09\x0b-\x1f]/.test(text)) throw malformed("it holds a control character");
    const at = text.lastIndexOf("\n\n");
    if (at < 0 || !text.endsWith("\n")) throw malformed("text and signatures are parted by an empty line");
    const rows = text.slice(at + 2, -1).split("\n");
    if (rows.length > MOST_SIGNATURES) throw malformed(`it carries more than ${MOST_SIGNATURES} signatures`);
    return { text: text.slice(0, at + 1), lines: rows.map(parseLine) };
  }

  function parseHead(text) {
    const lines = text.split("\n");
    const [origin, size, root] = lines;
    const hash = fromBase64(root ?? "");
    const proper = lines.length >= 4 && lines.at(-1) === "" && lines.slice(0, -1).every((line) => line !== "");
    if (!proper || !/^(0|[1-9][0-9]{0,18})$/.test(size) || BigInt(size) > MOST_SIZE || !hash || hash.length !== HASH) {
      throw new Broken("the checkpoint does not name a size and a root");
    }
    if (size === "0" && !Tree.same(hash, EMPTY_ROOT)) {
      throw new Broken("a checkpoint of size 0 carries the root of the empty tree");
    }
    // beyond 2^53 the number is not exact; no folder holds so many leaves, so a file of it is missing
    return { origin, size: Number(size), root: hash };
  }

  async function ed25519Verifies(publicKey, signature, text) {
    const subtle = globalThis.crypto?.subtle;
    if (!subtle) throw new BadInput("This browser offers no cryptography to pages from files. Use holdfast verify.");
    let key;
    try {
      key = await subtle.importKey("raw", publicKey, { name: "Ed25519" }, false, ["verify"]);
    } catch (error) {
      if (error.name === "NotSupportedError") {
        throw new BadInput("This browser cannot check Ed25519 signatures. Use a newer one, or holdfast verify.");
      }
      return false;
    }
    return signature.length === 64 && subtle.verify({ name: "Ed25519" }, key, signature, encode(text));
  }

  /**
   * The keys of `keys` under a note: which signed it, which signature is bad, which are absent, and which are there but
   * cannot be checked here. As `holdfast verify` does, a bad signature of a key that was given spoils the note.
   */
  async function signersOf(note, keys) {
    const found = { good: [], bad: [], absent: [], unchecked: [] };
    for (const key of keys) {
      const lines = note.lines.filter((line) => line.name === key.name && line.id === key.id);
      if (!lines.length) {
        found.absent.push(key);
      } else if (key.type === ML_DSA_44) {
        found.unchecked.push(key);
      } else {
        let good = true;
        for (const line of lines) good = (await ed25519Verifies(key.publicKey, line.signature, note.text)) && good;
        (good ? found.good : found.bad).push(key);
      }
    }
    return found;
  }

  return {
    BadInput, Broken, ED25519, MOST_BYTES, encode, fromBase64, hex, parseHead, parseNote, parseVkey, signersOf, toBase64,
    utf8,
  };
})();
