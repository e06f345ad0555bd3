// Texts to token ids and back, cut as the bundle's task.py cuts them: characters, words and signs, word pieces, or by
// the rules of a tokenizer.json.
import { spelled, subwords } from "./subword.mjs";

const UNKNOWN = 1;
const SPECIAL = 2; // <pad> and <unk> are the first entries of a vocabulary of characters or words
const SPACE = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000"; // as Python's str.split has it
const TOKENS = new RegExp(` ?[\\p{L}\\p{N}_]+|[^\\p{L}\\p{N}_${SPACE}]|[${SPACE}]`, "gu");
const [LEADING, TRAILING] = [new RegExp(`^[${SPACE}]+`, "u"), new RegExp(`[${SPACE}]+$`, "u")];
const SPACES = new RegExp(`[${SPACE}]+`, "u");
const LONGEST_WORD = 100;
const CHINESE = [
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0xf900, 0xfaff],
  [0x20000, 0x2a6df],
  [0x2a700, 0x2b81f],
  [0x2b920, 0x2ceaf],
  [0x2f800, 0x2fa1f],
];

/** The ids of a text for a model that writes on: a line break, then the text. */
export function promptTokens(text, problem) {
  return encode(`\n${text.replace(/[\r\n]+$/, "")}`, problem);
}

/** The ids of a text, cut at the longest length; an Error where it is empty. */
export function textTokens(text, problem) {
  const { unit, max_length: longest } = problem.input;
  if (unit === "subword") {
    const { tokens, ends } = subwords(text, problem);
    if (tokens.length <= ends) throw new Error("The text is empty.");
    return tokens;
  }
  const tokens =
    unit === "wordpiece" ? wordpieces(text, problem, longest) : encode(stripped(text), problem).slice(0, longest);
  if (!tokens.length) throw new Error("The text is empty.");
  return tokens;
}

/** The text of token ids; the unknown token becomes the replacement character, padding and the marks of a vocabulary nothing. */
export function decode(tokens, problem) {
  if (problem.input.unit === "subword") return spelled(tokens, problem);
  if (problem.input.unit === "wordpiece") {
    const { first, last } = problem.facts.tokenizer;
    const inner = tokens.filter((token) => ![...first, ...last].includes(token) && token !== 0);
    return inner
      .map((token) => problem.vocabulary[token])
      .join(" ")
      .replaceAll(" ##", "");
  }
  return tokens.map((token) => ["", "\ufffd"][token] ?? problem.vocabulary[token]).join("");
}

/** Whether a token is one that no text holds. */
export function isSpecial(token) {
  return token < SPECIAL;
}

function encode(text, problem) {
  const ids = idsOf(problem.vocabulary, SPECIAL);
  const normal = text.normalize("NFC");
  const pieces = problem.input.unit === "character" ? [...normal] : (normal.match(TOKENS) ?? []);
  return pieces.map((piece) => ids.get(piece) ?? UNKNOWN);
}

function idsOf(vocabulary, from) {
  return new Map(vocabulary.map((piece, index) => [piece, index]).slice(from));
}

function stripped(text) {
  return text.replace(LEADING, "").replace(TRAILING, "");
}

function wordpieces(text, problem, longest) {
  const [ids, rules] = [idsOf(problem.vocabulary, 0), problem.facts.tokenizer];
  const tokens = words(text, rules).flatMap((word) => longestPieces([...word], ids) ?? [rules.unknown]);
  if (!tokens.length) return [];
  return [...rules.first, ...tokens.slice(0, longest - rules.first.length - rules.last.length), ...rules.last];
}

/** The words of a text; every sign is a word of its own. */
function words(text, rules) {
  let signs = [...[...text].map((sign) => cleaned(sign, rules.chinese)).join("")];
  if (rules.strip_accents) signs = [...signs.join("").normalize("NFD")].filter((sign) => !/\p{Mn}/u.test(sign));
  if (rules.lowercase) signs = [...signs.map((sign) => sign.toLowerCase()).join("")]; // sign by sign, as in Python
  const apart = signs.map((sign) => (/[$+<=>^`|~\p{P}]/u.test(sign) ? ` ${sign} ` : sign)).join("");
  return apart.split(SPACES).filter(Boolean);
}

function cleaned(sign, chinese) {
  if (/[\t\n\r\p{Z}]/u.test(sign)) return " ";
  if (sign === "\ufffd" || /[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/u.test(sign)) return "";
  const code = sign.codePointAt(0);
  return chinese && CHINESE.some(([low, high]) => low <= code && code <= high) ? ` ${sign} ` : sign;
}

function longestPieces(word, ids) {
  const pieces = [];
  let [at, end] = [0, word.length];
  while (at < end && end <= LONGEST_WORD) {
    const piece = (at > 0 ? "##" : "") + word.slice(at, end).join("");
    if (ids.has(piece)) {
      pieces.push(ids.get(piece));
      [at, end] = [end, word.length];
    } else {
      end -= 1;
    }
  }
  return at < word.length ? null : pieces;
}
