/* The files of a log (C2SP tlog-tiles), bounded, and only those that a log has. */
const LogFiles = (() => {
  const { HASH } = Sha256;
  const { Broken } = Notes;
  const WIDTH = 256;
  const MOST_BUNDLE_BYTES = WIDTH * (2 + 65_535);
  const MOST_CERTIFICATES = 10_000;
  const MOST_CERTIFICATE_BYTES = 1_000_000;

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
      if (at + 2 + length > body.length) throw new Broken("an entry bundle is cut off");
      entries.push(body.subarray(at + 2, at + 2 + length));
      at += 2 + length;
    }
    return entries;
  }

  function splitHashes(body) {
    if (body.length > WIDTH * HASH) throw new Broken("a tile does not hold whole hashes");
    return Array.from({ length: Math.floor(body.length / HASH) }, (_, i) => body.subarray(i * HASH, (i + 1) * HASH));
  }

  /** `source.read(path, most)` gives a file's bytes or null, `source.list(folder)` the names of the files in it. */
  class Files {
    constructor(source, size) {
      this.source = source;
      this.size = size;
    }

    /** Entries (level "entries") or hashes of a tile, as many as this log has there. */
    async tile(level, n) {
      const unit = level === "entries" ? 1 : WIDTH ** level;
      const width = Math.min(WIDTH, Math.floor(this.size / unit) - n * WIDTH);
      const body = await this.body(level, n, width);
      const parts = level === "entries" ? decodeBundle(body) : splitHashes(body);
      if (parts.length < width) throw new Broken(`${tilePath(level, n, width)} is too short`);
      return parts.slice(0, width);
    }

    /** The file at its width, the full one, or the narrowest wider one: a mirror may have grown since. */
    async body(level, n, width) {
      const most = level === "entries" ? MOST_BUNDLE_BYTES : WIDTH * HASH;
      const widths = [width, WIDTH];
      for (let wider = width + 1; wider < WIDTH; wider += 1) widths.push(wider);
      for (const each of widths) {
        const body = await this.source.read(tilePath(level, n, each), most);
        if (body) return body;
      }
      throw new Broken(`${tilePath(level, n, width)} is missing`, "missing_file");
    }

    async node([level, index]) {
      const inside = level % 8;
      const span = 2 ** inside;
      const perTile = WIDTH / span;
      const hashes = await this.tile((level - inside) / 8, Math.floor(index / perTile));
      const first = (index % perTile) * span;
      return Tree.subtreeRoot(hashes.slice(first, first + span));
    }

    async entry(index) {
      return (await this.tile("entries", Math.floor(index / WIDTH)))[index % WIDTH];
    }
  }

  /** Name and content of each certificate, in order. */
  async function certificatesIn(source) {
    const names = source.list("certificates").filter((name) => /.\.json$/.test(name)).sort();
    if (names.length > MOST_CERTIFICATES) throw new Broken(`more than ${MOST_CERTIFICATES} certificates`);
    const found = [];
    for (const name of names) found.push([name, await source.read(`certificates/${name}`, MOST_CERTIFICATE_BYTES)]);
    return found;
  }

  return { Files, WIDTH, certificatesIn, tilePath };
})();
