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
    promise_broken: [
      "bad", "Broken promise",
      "A leaf that the house promised in writing is not in the log. Keep the answer and this folder: they prove it.",
    ],
  };
  const NO_ED25519 = "Every hash fits, but this page checks Ed25519 signatures only. Paste that key of the log as well.";
  const PROMISES = {
    kept: ["good", "Kept"], not_yet_due: ["unsure", "Not yet due"], broken: ["bad", "Broken promise"],
    unknown: ["unsure", "Not authenticated"],
  };

  function make(tag, text = "", attributes = {}) {
    const element = document.createElement(tag);
    element.textContent = text;
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  }

  /** A cell with the name of its column, for screens too narrow for a table. */
  const labelled = (name, text, attributes = {}) => make("td", text, { "data-label": name, ...attributes });

  const byId = (id) => document.getElementById(id);

  async function bytesOf(file, most) {
    if (file.size > most) throw new Notes.Broken(`${file.name} is longer than it can be`, "too_long");
    return new Uint8Array(await file.arrayBuffer());
  }

  /** The chosen folder as the verifier reads it; its own name is the first part of every path and is dropped. */
  function sourceOf(list) {
    const files = new Map();
    for (const file of list) files.set(file.webkitRelativePath.split("/").slice(1).join("/") || file.name, file);
    const inside = (folder) => [...files.keys()].filter((path) => path.startsWith(`${folder}/`));
    return {
      read: async (path, most) => (files.has(path) ? bytesOf(files.get(path), most) : null),
      list: (folder) => inside(folder).map((path) => path.slice(folder.length + 1)).filter((path) => !path.includes("/")),
    };
  }

  class Browser {
    constructor(report) {
      this.report = report;
      this.first = 0;
    }

    async show(first) {
      const { size, files } = this.report;
      this.first = Math.max(0, Math.min(first, Math.max(0, size - 1)));
      const rows = [];
      for (let index = this.first; index < Math.min(size, this.first + ROWS); index += 1) {
        rows.push(this.row(index, Leaves.parseLeaf(await files.entry(index)) ?? {}));
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
      row.append(cell, labelled("Time", time ?? ""), labelled("Kind", type ?? "not readable"));
      row.append(labelled("Fields", Leaves.canonical(fields)));
      return row;
    }

    async prove(index) {
      const { entry, proof, holds } = await Verifier.proveLeaf(this.report, index);
      const leaf = Leaves.parseLeaf(entry);
      byId("proof-title").textContent = `Leaf ${index}`;
      byId("proof-verdict").textContent = holds
        ? `In the log: ${proof.length} hashes lead from this leaf to the root in the checkpoint.`
        : "Not in the log: no way leads from this leaf to the root in the checkpoint.";
      byId("proof-verdict").className = holds ? "good" : "bad";
      byId("proof-leaf").textContent = leaf ? JSON.stringify(leaf, null, 2) : Notes.hex(entry);
      byId("proof-hashes").textContent = [`index ${index}`, ...proof.map(Notes.toBase64)].join("\n");
      byId("proof").hidden = false;
      byId("proof-title").focus();
    }

    async find(text) {
      const needle = text.trim();
      for (let index = this.first + 1; needle && index < this.report.size; index += 1) {
        const entry = Notes.utf8.decode(await this.report.files.entry(index));
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

  /** Rows of a table with columns of these names: each a file, what it is about, a verdict with its look, and what there is to say. */
  function judged(id, names, rows) {
    byId(id).hidden = rows.length === 0;
    byId(`${id}-rows`).replaceChildren(...rows.map(([file, about, [look, word], says]) => {
      const row = make("tr");
      row.append(make("th", file, { scope: "row" }), labelled(names[0], about));
      row.append(labelled(names[1], word, { class: look }), labelled(names[2], says));
      return row;
    }));
  }

  function show(report) {
    const [look, title, text] = VERDICTS[report.outcome];
    const unable = report.outcome === "not_authenticated" && report.withKey;
    byId("result").hidden = false;
    byId("verdict").className = look;
    byId("verdict-title").textContent = title;
    byId("verdict-text").textContent = unable ? NO_ED25519 : text;
    const facts = {
      Log: report.origin || "–", Leaves: String(report.size), Root: report.root || "–",
      "Signed by": report.signedBy.join(", ") || "not checked",
      From: report.firstLeaf || "–", To: report.lastLeaf || "–",
    };
    byId("facts").replaceChildren(
      ...Object.entries(facts).flatMap(([name, value]) => [make("dt", name), make("dd", value)]),
    );
    list("findings", "What is wrong", report.findings.map(({ code, message }) => `${message} [${code}]`));
    judged("receipts", ["Leaf", "Promise", "What the log says"], report.receipts.map((one) => [one.file, one.leaf, PROMISES[one.promise], one.says]));
    judged("certificates", ["Erased", "Verdict", "What it says"], report.certificates.map((one) => [
      one.file, one.customer, one.accepted ? ["good", "Accepted"] : ["bad", "Not accepted"], one.says,
    ]));
    list("notes", "Notes", report.notes);
    list("types", "Leaves by kind", report.types.map(([type, count]) => `${type}: ${count}`));
    byId("verdict-title").focus();
  }

  /** Name and content of each file chosen in the field `id`. */
  async function given(id) {
    return Promise.all([...byId(id).files].map(async (file) => [file.name, await bytesOf(file, Notes.MOST_BYTES)]));
  }

  async function run() {
    const busy = byId("progress");
    byId("problem").textContent = "";
    byId("proof").hidden = true;
    byId("result").hidden = true;
    busy.hidden = false;
    try {
      const chosen = byId("folder").files;
      if (!chosen.length) throw new Notes.BadInput("Choose the folder of the log first.");
      const report = await Verifier.verifyLog(sourceOf(chosen), {
        vkeys: byId("keys").value.split("\n").map((line) => line.trim()).filter((line) => line && !line.startsWith("#")),
        since: (await given("since"))[0]?.[1] ?? null,
        receipts: await given("answers"),
        progress: (done, all) => { busy.value = done; busy.max = all; },
      });
      show(report);
      const leaves = new Browser(report);
      byId("browser").hidden = report.outcome === "broken";
      if (!byId("browser").hidden) await leaves.show(0);
      byId("earlier").onclick = () => leaves.show(leaves.first - ROWS);
      byId("later").onclick = () => leaves.show(leaves.first + ROWS);
      byId("search").onsubmit = (event) => { event.preventDefault(); leaves.find(byId("needle").value); };
    } catch (error) {
      byId("problem").textContent = error instanceof Notes.BadInput ? error.message : `Stopped: ${error.message}`;
    } finally {
      busy.hidden = true;
    }
  }

  function start() {
    byId("choose").addEventListener("submit", (event) => { event.preventDefault(); run(); });
  }

  return { start };
})();

if (typeof module === "object") module.exports = { Leaves, Notes, Page, Sha256, Tree, Verifier };
else Page.start();
