/* JSON that says one thing to every reader, times in the one form of a log, and the leaves in it. */
const Leaves = (() => {
  const { Broken, utf8 } = Notes;
  const MOST_DEPTH = 32;
  const COMMON = ["v", "type", "id", "time"];
  const VERSION = 1;
  const MOST_LATE_US = 15_000_000n;

  function isDeep(value) {
    let row = [value];
    for (let depth = 0; depth <= MOST_DEPTH; depth += 1) {
      row = row.filter((each) => each !== null && typeof each === "object").flatMap((each) => Object.values(each));
      if (!row.length) return false;
    }
    return true;
  }

  /** RFC 8785 for strings, whole numbers, booleans, null, lists and objects that do not nest too deep. */
  function canonical(value) {
    if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
    if (value !== null && typeof value === "object") {
      const names = Object.keys(value);
      if (names.some((name) => /[\ud800-\udfff]/.test(name))) throw new Broken("a name beyond the basic plane");
      return `{${names.sort().map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(",")}}`;
    }
    if (typeof value === "number" && !(Number.isInteger(value) && Math.abs(value) <= 2 ** 53)) {
      throw new Broken("a number is not whole");
    }
    // half of a surrogate pair has no UTF-8
    if (typeof value === "string" && !value.isWellFormed()) throw new Broken("a text is no Unicode");
    return JSON.stringify(value);
  }

  /** Whether a name stands twice in one object of a JSON text that parses; JSON.parse would take the last. */
  function doublesName(text) {
    const open = [];
    let last = "";
    for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]:]/g)) {
      if (token === "{") open.push(new Set());
      else if (token === "[") open.push(null);
      else if (token === "}" || token === "]") open.pop();
      else if (token === ":") {
        const name = JSON.parse(last);
        if (open.at(-1).has(name)) return true;
        open.at(-1).add(name);
      } else last = token;
    }
    return false;
  }

  const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

  /** Read a JSON object as `holdfast verify` reads it. */
  function readDocument(raw) {
    let document;
    let text;
    try {
      text = utf8.decode(raw);
      document = JSON.parse(text);
    } catch {
      throw new Broken("it is not JSON");
    }
    if (!isObject(document)) throw new Broken("it is not a JSON object");
    if (isDeep(document)) throw new Broken(`it nests deeper than ${MOST_DEPTH}`);
    if (doublesName(text)) throw new Broken("a name stands twice in it");
    return document;
  }

  /** Microseconds of a time as Holdfast writes it, or null for anything else. */
  function moment(text) {
    if (typeof text !== "string" || !/^(?!0000)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/.test(text)) return null;
    const ms = Date.parse(`${text.slice(0, 19)}Z`);
    if (Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 19) !== text.slice(0, 19)) return null;
    return BigInt(ms) * 1000n + BigInt(text.slice(20, 26));
  }

  function timeText(us) {
    const seconds = us / 1_000_000n;
    return `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19)}.${String(us % 1_000_000n).padStart(6, "0")}Z`;
  }

  /** The leaf in an entry, or null when it is not one. */
  function parseLeaf(entry) {
    try {
      const text = utf8.decode(entry);
      const leaf = JSON.parse(text);
      const texts = isObject(leaf) && ["type", "id", "time"].every((name) => typeof leaf[name] === "string");
      return texts && Number.isInteger(leaf.v) && !isDeep(leaf) && canonical(leaf) === text ? leaf : null;
    } catch {
      return null;
    }
  }

  /** Looks at every entry in turn; keeps those leaves whose ids were asked for. */
  class Reader {
    constructor(report, say, wanted) {
      Object.assign(this, { report, say, wanted: new Set(wanted), last: 0n, types: new Map(), unknown: 0 });
      this.found = new Map();
    }

    read(index, entry) {
      const leaf = parseLeaf(entry);
      if (!leaf) {
        this.say("malformed_leaf", `leaf ${index} is no canonical JSON object with type, id and time`);
        return;
      }
      const at = moment(leaf.time);
      if (at === null) this.say("bad_time", `leaf ${index} has no proper time`);
      else if (at < this.last - MOST_LATE_US) this.say("time_went_back", `leaf ${index} lies before leaves that precede it`);
      else if (at > this.last) this.last = at;
      this.report.firstLeaf ||= leaf.time;
      this.report.lastLeaf = leaf.time;
      this.checkFields(index, leaf);
      if (this.wanted.has(leaf.id) && !this.found.has(leaf.id)) this.found.set(leaf.id, { index, leaf });
    }

    checkFields(index, leaf) {
      this.types.set(leaf.type, (this.types.get(leaf.type) ?? 0) + 1);
      if (leaf.v !== VERSION || !Object.hasOwn(DECLARED, leaf.type)) {
        this.unknown += 1;
        return;
      }
      const declared = new Set([...COMMON, ...DECLARED[leaf.type]]);
      const names = new Set(Object.keys(leaf));
      const odd = [...declared].filter((name) => !names.has(name)).concat([...names].filter((name) => !declared.has(name)));
      if (odd.length) {
        const text = odd.sort().join(", ");
        this.say("undeclared_fields", `leaf ${index} (${leaf.type}) differs from its declaration: ${text}`);
      }
    }

    finish() {
      this.report.types = [...this.types].sort();
      if (this.unknown) {
        this.report.notes.push(
          `${this.unknown} leaves are of a kind that this verifier does not know;`
          + " their place in the log was checked, their fields were not.",
        );
      }
    }
  }

  return { Reader, canonical, isObject, moment, parseLeaf, readDocument, timeText };
})();
