"use strict";
/* Runs the page's verifier in Node: `node verifier.js <script> <what> <json>`; prints JSON. */
const fs = require("node:fs");
const path = require("node:path");

const [script, what, given] = process.argv.slice(2);
const asked = JSON.parse(given);

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
    return [{ name: entry.name, webkitRelativePath: relative, arrayBuffer: async () => fs.readFileSync(full) }];
  });
}

const reader = (folder) => async (file) => {
  try {
    return new Uint8Array(fs.readFileSync(path.join(folder, file)));
  } catch {
    return null;
  }
};

async function verify(V) {
  const since = asked.since ? new Uint8Array(fs.readFileSync(asked.since)) : null;
  try {
    const report = await V.verifyLog(reader(asked.folder), { vkeys: asked.keys, since });
    const proofs = [];
    for (const index of asked.prove ?? []) {
      const { proof, holds, entry } = await V.proveLeaf(report, index);
      proofs.push({ proof: proof.map(V.toBase64), holds, entry: V.utf8.decode(entry) });
    }
    delete report.files;
    delete report.rootHash;
    return { ...report, proofs };
  } catch (error) {
    if (error instanceof V.BadInput) return { badInput: error.message };
    throw error;
  }
}

async function page(V) {
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

function proofs(V) {
  const raw = (text) => Uint8Array.from(Buffer.from(text ?? "", "base64"));
  return asked.map((c) => V.inclusionHolds(
    raw(c.leafHash), c.leafIdx, c.treeSize, (c.proof ?? []).map(raw), raw(c.root),
  ));
}

function hashes(V) {
  return asked.map((text) => V.hex(V.sha256(Uint8Array.from(Buffer.from(text, "hex")))));
}

const V = require(script);
Promise.resolve({ verify, page, proofs, hashes }[what](V)).then((result) => {
  process.stdout.write(JSON.stringify(result));
});
