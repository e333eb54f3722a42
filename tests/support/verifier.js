"use strict";
/* Runs the page's verifier in Node: `node verifier.js <script> <what> <json>`; prints JSON. */
const fs = require("node:fs");
const path = require("node:path");

const [script, what, given] = process.argv.slice(2);
const asked = JSON.parse(given);
const V = require(script);

/** Enough of a document for the page to run on: elements by id, made from the page's own ids. */
class FakeElement {
  constructor(tag = "div") {
    Object.assign(this, { tag, textContent: "", value: "", hidden: false, disabled: false, files: [], className: "" });
    this.children = [];
    this.attributes = {};
    this.listeners = {};
  }

  setAttribute(name, value) { this.attributes[name] = value; }

  addEventListener(name, listener) { this.listeners[name] = listener; }

  append(...more) { this.children.push(...more); }

  replaceChildren(...more) { this.children = more; }

  get lastChild() { return this.children.at(-1); }

  focus() { FakeElement.focused = this; }

  get text() { return this.textContent + this.children.map((child) => child.text).join(" "); }
}

function filesUnder(folder, base = path.basename(folder)) {
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const full = path.join(folder, entry.name);
    const relative = `${base}/${entry.name}`;
    if (entry.isDirectory()) return filesUnder(full, relative);
    const { size } = fs.statSync(full);
    return [{ name: entry.name, size, webkitRelativePath: relative, arrayBuffer: async () => fs.readFileSync(full) }];
  });
}

/** A folder as the verifier reads it. */
const sourceOf = (folder) => ({
  read: async (file, most) => {
    try {
      const raw = new Uint8Array(fs.readFileSync(path.join(folder, file)));
      if (raw.length > most) throw new V.Notes.Broken(`${file} is longer than it can be`, "too_long");
      return raw;
    } catch (error) {
      if (error instanceof V.Notes.Broken) throw error;
      return null;
    }
  },
  list: (sub) => {
    const full = path.join(folder, sub);
    return fs.existsSync(full) ? fs.readdirSync(full) : [];
  },
});

/** Files by path; null is none. */
function sourceIn(files) {
  const has = (file) => Object.hasOwn(files, file) && files[file] !== null;
  return {
    read: async (file, most) => {
      if (!has(file)) return null;
      const raw = contentOf(files[file]);
      if (raw.length > most) throw new V.Notes.Broken(`${file} is longer than it can be`, "too_long");
      return raw;
    },
    list: (folder) => Object.keys(files).filter((file) => has(file) && file.startsWith(`${folder}/`))
      .map((file) => file.slice(folder.length + 1)).filter((file) => !file.includes("/")),
  };
}

function contentOf(text) {
  if (typeof text === "string") return new TextEncoder().encode(text);
  const once = Buffer.from(text.base64, "base64");
  return Uint8Array.from(Buffer.alloc(once.length * text.times, once));
}

/** What came of it, as data; `done(report)` may look further. */
async function reported(source, given, done = () => {}) {
  try {
    const report = await V.Verifier.verifyLog(source, given);
    const more = await done(report);
    const { files, rootHash, say, ...data } = report;
    return { ...data, outcome: report.outcome, ...more };
  } catch (error) {
    if (error instanceof V.Notes.BadInput) return { badInput: error.message };
    throw error;
  }
}

async function verify() {
  const since = asked.since ? new Uint8Array(fs.readFileSync(asked.since)) : null;
  return reported(sourceOf(asked.folder), { vkeys: asked.keys, since }, async (report) => {
    const proofs = [];
    for (const index of asked.prove ?? []) {
      const { proof, holds, entry } = await V.Verifier.proveLeaf(report, index);
      proofs.push({ proof: proof.map(V.Notes.toBase64), holds, entry: V.Notes.utf8.decode(entry) });
    }
    return { proofs };
  });
}

/** All cases of a file of bundles and verdicts (tests/support/verdicts.py). */
async function book() {
  const { keys: named, bases, cases } = JSON.parse(fs.readFileSync(asked));
  const reports = [];
  for (const { base, files, keys, since, answers } of cases) {
    const receipts = Object.entries(answers).map(([name, text]) => [name, contentOf(text)]);
    const given = { vkeys: keys.map((key) => named[key] ?? key), since: since === null ? null : contentOf(since), receipts };
    reports.push(await reported(sourceIn({ ...bases[base], ...files }), given));
  }
  return reports;
}

async function page() {
  const elements = Object.fromEntries(asked.ids.map((id) => [id, new FakeElement()]));
  globalThis.document = {
    getElementById: (id) => elements[id],
    createElement: (tag) => new FakeElement(tag),
  };
  V.Page.start();
  elements.folder.files = asked.folder ? filesUnder(asked.folder) : [];
  elements.keys.value = asked.keys.join("\n");
  async function until(happened) {
    while (!happened()) await new Promise((done) => { setTimeout(done, 1); });
  }
  elements.progress.hidden = false;
  elements.choose.listeners.submit({ preventDefault() {} });
  await until(() => elements.progress.hidden);
  const first = elements.leaves.children[0];
  if (first) {
    elements.proof.hidden = true;
    first.children[0].children[0].listeners.click();
    await until(() => !elements.proof.hidden);
    elements.needle.value = asked.find ?? "";
    const before = elements.range.textContent;
    elements.search.onsubmit({ preventDefault() {} });
    await until(() => elements.range.textContent !== before);
  }
  return Object.fromEntries(
    Object.entries(elements).map(([id, element]) => [id, { text: element.text, hidden: element.hidden }]),
  );
}

function proofs() {
  const raw = (text) => Uint8Array.from(Buffer.from(text ?? "", "base64"));
  return asked.map((c) => V.Tree.inclusionHolds(
    raw(c.leafHash), c.leafIdx, c.treeSize, (c.proof ?? []).map(raw), raw(c.root),
  ));
}

function hashes() {
  return asked.map((text) => V.Notes.hex(V.Sha256.sha256(Uint8Array.from(Buffer.from(text, "hex")))));
}

Promise.resolve({ verify, book, page, proofs, hashes }[what]()).then((result) => {
  process.stdout.write(JSON.stringify(result));
});
