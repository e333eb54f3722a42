/* The tree of RFC 6962: hashes of leaves and nodes, roots, and proofs that a leaf is in it. */
const Tree = (() => {
  const { HASH, sha256 } = Sha256;

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

  return { CompactRange, fold, inclusionHolds, inclusionPlan, leafHash, same, subtreeRoot };
})();
