// The models of a tokenizer.json, as zoo/data/text/subword/models.py has them: from the signs of a piece to token ids.

const UNKNOWN_PENALTY = 10;

/** By the type of the model: from its rules and the ids of its pieces to the function that cuts. */
export const MODELS = { BPE: bpe, Unigram: unigram, WordPiece: wordPiece, WordLevel: wordLevel };

/** The tokens of a text's bytes, "<0x0A>"; none where one of them has no token, or the model has no such. */
function byteTokens(text, ids, model) {
  if (!model.byte_fallback) return [];
  const names = Array.from(new TextEncoder().encode(text), (byte) => byte.toString(16).toUpperCase().padStart(2, "0"));
  const tokens = names.map((name) => ids.get(`<0x${name}>`) ?? -1);
  return tokens.includes(-1) ? [] : tokens;
}

/** Signs of a word, joined in the order of the merges. */
function bpe(model, ids) {
  const [prefix, suffix] = [model.continuing_subword_prefix ?? "", model.end_of_word_suffix ?? ""];
  const merges = mergesOf(model, ids, prefix);
  const unknown = model.unk_token == null ? [] : [ids.get(model.unk_token)];
  return (word) => {
    const whole = ids.get(word.join(""));
    if (model.ignore_merges && whole !== undefined) return [whole];
    let [tokens, pending] = [[], []];
    word.forEach((bare, at) => {
      const sign = (at ? prefix : "") + bare + (at === word.length - 1 ? suffix : "");
      const bytes = ids.has(sign) ? [] : byteTokens(sign, ids, model);
      if (ids.has(sign)) {
        tokens.push(...pending, ids.get(sign));
        pending = [];
      } else if (bytes.length) {
        tokens.push(...bytes); // before an unknown sign that is pending, as in the library
      } else {
        if (!model.fuse_unk) tokens.push(...pending);
        pending = unknown;
      }
    });
    return merged([...tokens, ...pending], merges);
  };
}

/** (left, right) => [rank, joined token] of the merges; undefined where there is none. */
function mergesOf(model, ids, prefix) {
  const size = [...ids.values()].reduce((most, id) => Math.max(most, id), 0) + 1;
  const table = new Map(
    model.merges.map(([left, right], rank) => {
      const bare = prefix && right.startsWith(prefix) ? right.slice(prefix.length) : right;
      return [ids.get(left) * size + ids.get(right), [rank, ids.get(left + bare)]];
    }),
  );
  return (left, right) => (left < 0 || right < 0 ? undefined : table.get(left * size + right));
}

/** Tokens after all merges, those of the lowest rank first, from the left. */
function merged(tokens, merges) {
  const after = tokens.map((_, at) => (at + 1 < tokens.length ? at + 1 : -1));
  const before = tokens.map((_, at) => at - 1);
  const queue = [];
  const offer = (left, right) => {
    const found = left >= 0 && right >= 0 ? merges(tokens[left], tokens[right]) : undefined;
    if (found) push(queue, [found[0], left, found[1]]);
  };
  tokens.forEach((_, at) => offer(at, after[at]));
  while (queue.length) {
    const [, at, joined] = pop(queue);
    const right = after[at];
    if (right < 0 || merges(tokens[at], tokens[right])?.[1] !== joined) continue; // one of the two has been joined
    [tokens[at], tokens[right], after[at]] = [joined, -1, after[right]];
    if (after[at] >= 0) before[after[at]] = at;
    offer(before[at], at);
    offer(at, after[at]);
  }
  return tokens.filter((token) => token >= 0);
}

function isBefore(a, b) {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

/** Put into a heap, whose first entry is the least. */
function push(heap, entry) {
  let at = heap.push(entry) - 1;
  while (at > 0) {
    const above = (at - 1) >> 1;
    if (isBefore(heap[above], heap[at]) <= 0) return;
    [heap[above], heap[at]] = [heap[at], heap[above]];
    at = above;
  }
}

/** Take the least entry of a heap. */
function pop(heap) {
  const [least, last] = [heap[0], heap.pop()];
  if (!heap.length) return least;
  heap[0] = last;
  let at = 0;
  for (;;) {
    const below = [2 * at + 1, 2 * at + 2].filter((child) => child < heap.length);
    const child = below.reduce((best, other) => (isBefore(heap[other], heap[best]) < 0 ? other : best), below[0]);
    if (child === undefined || isBefore(heap[at], heap[child]) <= 0) return least;
    [heap[at], heap[child]] = [heap[child], heap[at]];
    at = child;
  }
}

/** The likeliest pieces (Viterbi). */
function unigram(model, ids) {
  const [scores, unknown, longest] = [model.scores, model.unk_id, new Map()];
  const least = scores.reduce((best, score) => Math.min(best, score), Infinity) - UNKNOWN_PENALTY;
  for (const piece of ids.keys()) {
    const signs = [...piece];
    longest.set(signs[0], Math.max(longest.get(signs[0]) ?? 0, signs.length));
  }
  const scoreOf = (piece, alone) => (ids.has(piece) ? scores[ids.get(piece)] : alone ? least : -Infinity);
  return (signs) => {
    const best = [0, ...Array(signs.length).fill(-Infinity)];
    const begins = Array(signs.length + 1).fill(0);
    signs.forEach((sign, start) => {
      const most = Math.min(start + Math.max(longest.get(sign) ?? 0, 1), signs.length);
      for (let [end, piece] = [start + 1, sign]; end <= most; piece += signs[end], end += 1) {
        const score = best[start] + scoreOf(piece, end === start + 1);
        if (score > best[end]) [best[end], begins[end]] = [score, start];
      }
    });
    const pieces = [];
    for (let end = signs.length; end; end = begins[end]) pieces.push(signs.slice(begins[end], end).join(""));
    return spelledOut(pieces.reverse(), ids, unknown, model);
  };
}

/** The tokens of pieces; unknown neighbours are one token, or their bytes. */
function spelledOut(pieces, ids, unknown, model) {
  let [tokens, pending] = [[], ""];
  for (const piece of [...pieces, ""]) {
    if (piece && (ids.get(piece) ?? unknown) === unknown) {
      pending += piece;
      continue;
    }
    if (pending) {
      const bytes = ids.has(pending) ? [] : byteTokens(pending, ids, model);
      tokens = tokens.concat(bytes.length ? bytes : [ids.get(pending) ?? unknown]);
    }
    if (piece) tokens.push(ids.get(piece));
    pending = "";
  }
  return tokens;
}

/** The longest pieces from the left; one unknown token for a word that no pieces make up. */
function wordPiece(model, ids) {
  const [prefix, unknown] = [model.continuing_subword_prefix, [ids.get(model.unk_token)]];
  return (word) => {
    const tokens = [];
    let start = 0;
    while (start < word.length && word.length <= model.max_input_chars_per_word) {
      let end = word.length;
      const piece = () => (start ? prefix : "") + word.slice(start, end).join("");
      while (end > start && !ids.has(piece())) end -= 1;
      if (end === start) return unknown;
      tokens.push(ids.get(piece()));
      start = end;
    }
    return tokens.length ? tokens : unknown;
  };
}

function wordLevel(model, ids) {
  return (word) => [ids.get(word.join("")) ?? ids.get(model.unk_token)];
}
