// Texts to token ids by a tokenizer.json, as zoo.data.text.subword cuts them for task.py: added tokens, steps, model,
// and the tokens at the ends. The patterns of the rules were written for JavaScript (zoo/bundle/demo/tokenizer.py).
import { MODELS } from "./subword_models.mjs";

const UTF8 = new TextEncoder();
const ENCODERS = new WeakMap();
const PATTERNS = new Map();

/** The ids of a text, those at the ends among them, and how many stand at the ends. */
export function subwords(text, problem) {
  if (!ENCODERS.has(problem)) ENCODERS.set(problem, encoderOf(problem));
  const { first, last } = problem.facts.tokenizer;
  return { tokens: ENCODERS.get(problem)(text, problem.input.max_length), ends: first.length + last.length };
}

/** The text of token ids, as far as the vocabulary can spell it. */
export function spelled(tokens, problem) {
  const rules = problem.facts.tokenizer;
  const ends = new Set([...rules.first, ...rules.last]);
  const pieces = tokens.filter((token) => !ends.has(token)).map((token) => problem.vocabulary[token]);
  if ([...rules.normalizer, ...rules.pre_tokenizer].some((step) => step.do === "bytes")) {
    const codes = new Map(byteSigns().map((sign, byte) => [sign, byte]));
    return textOf([...pieces.join("")].flatMap((sign) => (codes.has(sign) ? codes.get(sign) : [...UTF8.encode(sign)])));
  }
  const { continuing_subword_prefix: prefix, end_of_word_suffix: suffix, type } = rules.model;
  if (prefix) return pieces.join(" ").replaceAll(` ${prefix}`, "");
  if (suffix) return pieces.join("").replaceAll(suffix, " ");
  if (type === "WordLevel") return pieces.join(" ");
  const bytes = (run) => textOf(run.match(/[0-9A-F]{2}(?=>)/g).map((code) => parseInt(code, 16)));
  return pieces
    .join("")
    .replace(/(?:<0x[0-9A-F]{2}>)+/g, bytes)
    .replaceAll("▁", " ");
}

function textOf(bytes) {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(bytes));
}

function encoderOf({ vocabulary, facts: { tokenizer: rules } }) {
  const onlyAdded = new Set(rules.only_added);
  const ids = new Map(vocabulary.map((token, id) => [token, id]).filter(([, id]) => !onlyAdded.has(id)));
  const cut = MODELS[rules.model.type](rules.model, ids);
  return (text, longest) => {
    const tokens = [];
    for (const raw of partsOf(text.replace(/[\ud800-\udfff]/gu, "\ufffd"), rules.added.raw)) {
      const normal = raw.added ? "" : splitText(raw.text, rules.normalizer, true).join("");
      const sign = [...raw.text].slice(0, 1).join("");
      const atStart = raw.start === 0 && splitText(sign, rules.normalizer, true).length > 0;
      if (raw.added) tokens.push(raw.added.id);
      for (const part of partsOf(normal, rules.added.normalized)) {
        if (part.added) tokens.push(part.added.id);
        else
          for (const piece of splitText(part.text, rules.pre_tokenizer, atStart && part.start === 0))
            for (const token of cut([...piece])) tokens.push(token);
      }
    }
    const room = Math.max(longest - rules.first.length - rules.last.length, 0);
    return [...rules.first, ...tokens.slice(0, room), ...rules.last];
  };
}

/** The parts of a text, each with its start: the added tokens in it, and what is between them. */
function partsOf(text, { pattern, tokens, word, space }) {
  const [parts, spaces] = [[], new Set(space)];
  let start = 0;
  for (const match of pattern ? matches(pattern, text) : []) {
    const added = tokens[match[0]];
    let [begin, end] = [match.index, match.index + match[0].length];
    const around = [[...text.slice(0, begin)].pop(), [...text.slice(end, end + 2)][0]];
    if (added.single_word && around.some((sign) => sign && compiled(word).whole.test(sign))) continue;
    if (added.lstrip) while (begin > start && spaces.has(text[begin - 1])) begin -= 1;
    if (added.rstrip) while (end < text.length && spaces.has(text[end])) end += 1;
    if (start < begin) parts.push({ start, text: text.slice(start, begin) });
    parts.push({ start: begin, text: text.slice(begin, end), added });
    start = end;
  }
  if (start < text.length) parts.push({ start, text: text.slice(start) });
  return parts;
}

// --- what is done to a text before it becomes tokens --------------------------------------------------

/** The pieces of a text after these steps; `first` where nothing of the whole text stands before it. */
function splitText(text, steps, first) {
  let pieces = [text];
  for (const step of steps) {
    if (step.do === "split") pieces = pieces.flatMap((piece) => cutBy(piece, step));
    else pieces = pieces.map((piece) => CHANGES[step.do](piece, step, first));
  }
  return pieces.filter(Boolean);
}

const CHANGES = {
  begin: (text, step, first) => {
    const absent = !text.startsWith(step.text) || !step.once;
    return text && absent && (first || !step.first) ? step.text + text : text;
  },
  form: (text, { form }) => text.normalize(form),
  replace: (text, { pattern, by }) => {
    const [parts, found] = [[], [...matches(pattern, text)]];
    let end = 0;
    for (const match of found) {
      parts.push(text.slice(end, match.index), ...by.map((part) => part ?? match[0])); // null stands for the match
      end = match.index + match[0].length;
    }
    return parts.join("") + text.slice(end);
  },
  lower: (text) => [...text].map((sign) => sign.toLowerCase()).join(""), // sign by sign, as in Python
  bytes: (text) => Array.from(UTF8.encode(text), (byte) => byteSigns()[byte]).join(""),
  charsmap: (text, { clusters, table }) => {
    return Array.from(matches(clusters, text), ([cluster]) => {
      const signs = [...cluster];
      const starts = UTF8.encode(cluster).length < 6 ? signs.map((_, at) => signs.slice(0, at + 1).join("")) : [];
      const known = starts.find((start) => Object.hasOwn(table, start));
      const own = (sign) => (Object.hasOwn(table, sign) ? table[sign] : sign);
      return known === undefined ? signs.map(own).join("") : table[known];
    }).join("");
  },
};

/** A text split around what matches; by the behavior matches go, stay, or are joined to a neighbour. */
function cutBy(text, { pattern, behavior, invert }) {
  let [parts, end] = [[], 0];
  for (const match of matches(pattern, text)) {
    parts.push([text.slice(end, match.index), invert], [match[0], !invert]);
    end = match.index + match[0].length;
  }
  parts = [...parts, [text.slice(end), invert]].filter(([part]) => part);
  if (behavior === "Isolated") return parts.map(([part]) => part);
  if (behavior === "Removed") return parts.filter(([, matched]) => !matched).map(([part]) => part);
  const forwards = behavior !== "MergedWithNext";
  const kept = [];
  let last = null;
  for (const [part, matched] of forwards ? parts : parts.reverse()) {
    const joined = kept.length && (behavior === "Contiguous" ? matched === last : matched && !last);
    if (joined) kept.push(forwards ? kept.pop() + part : part + kept.pop());
    else kept.push(part);
    last = matched;
  }
  return forwards ? kept : kept.reverse();
}

/** The visible sign that stands for each byte in GPT-2's vocabulary: itself, or one from U+0100 on. */
function byteSigns() {
  const printable = (byte) => (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
  let other = 0x100;
  byteSigns.made ??= Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(printable(byte) ? byte : other++));
  return byteSigns.made;
}

/** The matches of a pattern as Python's re.finditer has them: after an empty one a longer one may begin at its place. */
function* matches(pattern, text) {
  const { search, longer } = compiled(pattern);
  let [at, empty] = [0, false];
  while (at <= text.length) {
    longer.lastIndex = search.lastIndex = at;
    let match = empty ? longer.exec(text) : search.exec(text);
    if (empty && !match) {
      if (at === text.length) return;
      search.lastIndex = at + (text.codePointAt(at) > 0xffff ? 2 : 1);
      match = search.exec(text);
    }
    if (!match) return;
    yield match;
    at = match.index + match[0].length;
    empty = !match[0];
  }
}

function compiled(pattern) {
  if (!PATTERNS.has(pattern)) {
    const longer = new RegExp(`(?=([^]*))(?:${pattern})(?!\\1$)`, "uy"); // as long a rest as before: nothing was taken
    const whole = new RegExp(`^(?:${pattern})`, "u");
    PATTERNS.set(pattern, { search: new RegExp(pattern, "gu"), longer, whole });
  }
  return PATTERNS.get(pattern);
}
