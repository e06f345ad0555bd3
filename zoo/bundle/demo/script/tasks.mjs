// What each task is given and gives, in plain values: the bundle's task.py for JavaScript.
import { array, numbers } from "./arrays.mjs";
import { carried } from "./graph.mjs";
import { drawToken, normal, uniform } from "./random.mjs";
import { SILENCE, toCodes, toSignal } from "./sound.mjs";
import { decode, isSpecial, promptTokens, textTokens } from "./text.mjs";

/** By task: `inputs(value, problem, settings)` of pipeline.onnx, `answer(outputs, problem, settings)`, its `defaults`. */
export const TASKS = {
  "image-classification": { takes: "picture", inputs: pictureInputs, answer: ranking },
  "object-detection": { takes: "picture", inputs: pictureInputs, answer: detections, defaults: { threshold: 0.3 } },
  "semantic-segmentation": { takes: "picture", inputs: pictureInputs, answer: segments },
  "image-reconstruction": {
    takes: "picture",
    inputs: noisyInputs,
    answer: reconstruction,
    defaults: { noise: 0, seed: 0 },
  },
  "image-embedding": { takes: "picture", inputs: pictureInputs, answer: embedding },
  "image-generation": { takes: "latent", inputs: latentInputs, answer: pictures, defaults: { count: 16, seed: 0 } },
  "text-classification": { takes: "text", inputs: textInputs, answer: ranking },
  "text-embedding": { takes: "text", inputs: textInputs, answer: embedding },
  "text-generation": {
    takes: "prompt",
    inputs: promptInputs,
    generate: writeText,
    defaults: { length: 200, temperature: 0.8, topK: 0, seed: 0 },
  },
  "audio-generation": {
    takes: "sound",
    inputs: soundInputs,
    generate: writeSound,
    defaults: { seconds: 0.5, temperature: 0.8, seed: 0 },
  },
};

// --- inputs -----------------------------------------------------------------------------------------

/** `image` uint8 [height, width, 3] of {width, height, data}: RGB, or RGBA, whose transparency is put on white. */
function pictureInputs({ width, height, data }) {
  const [pixels, channels] = [width * height, data.length / (width * height)];
  if (!pixels || ![3, 4].includes(channels)) {
    throw new Error("A picture is {width, height, data} with 3 or 4 numbers a pixel, RGB or RGBA.");
  }
  const levels = new Uint8Array(pixels * 3);
  for (let pixel = 0; pixel < pixels; pixel += 1) {
    const opaque = channels === 3 ? 255 : data[pixel * 4 + 3];
    for (let band = 0; band < 3; band += 1) {
      levels[pixel * 3 + band] = Math.round((data[pixel * channels + band] * opaque + 255 * (255 - opaque)) / 255);
    }
  }
  return { image: { dtype: "uint8", shape: [height, width, 3], data: levels } };
}

/** The same, with `noise` where the model takes any: so much of a draw from a unit normal; 0 gives its mean answer. */
function noisyInputs(picture, problem, { noise, seed }) {
  const size = problem.input.noise ?? 0;
  if (!size) return pictureInputs(picture);
  const drawn = normal(size, seed).map((value) => value * noise);
  return { ...pictureInputs(picture), noise: { dtype: "float32", shape: [size], data: drawn } };
}

function latentInputs(_, problem, { count, seed }) {
  const size = problem.input.size;
  return { latent: { dtype: "float32", shape: [count, size], data: normal(count * size, seed) } };
}

function textInputs(text, problem) {
  const tokens = textTokens(text, problem);
  return { tokens: array("int64", [1, tokens.length], tokens), lengths: array("int64", [1], [tokens.length]) };
}

function promptInputs(text, problem) {
  const tokens = promptTokens(text, problem);
  return { tokens: array("int64", [1, tokens.length], tokens) };
}

/** `samples` int64 [1, length]: silence, then the sound to go on from; `condition` int64 [1], where there are classes. */
function soundInputs({ className = "", signal = [] }, problem) {
  const codes = [SILENCE, ...toCodes(signal)];
  const samples = array("int64", [1, codes.length], codes);
  if (!problem.classes.length) return { samples };
  const index = className ? problem.classes.indexOf(className) : 0;
  if (index < 0) throw new Error(`There is no class ${className}; there are ${problem.classes.join(", ")}.`);
  return { samples, condition: array("int64", [1], [index]) };
}

// --- answers ----------------------------------------------------------------------------------------

/** The classes, the likeliest first: [{label, probability}]. */
function ranking({ probabilities }, problem) {
  const rows = problem.classes.map((label, index) => ({ label, probability: probabilities.data[index] }));
  return rows.sort((a, b) => b.probability - a.probability);
}

/** The boxes from the threshold on, the surest first, and how many there are below: {boxes: [{label, score, box}], below}. */
function detections({ boxes, scores, labels }, problem, { threshold }) {
  const rows = numbers(scores).map((score, index) => {
    return {
      label: problem.classes[Number(labels.data[index])],
      score,
      box: numbers({ data: boxes.data.slice(4 * index, 4 * index + 4) }),
    };
  });
  const listed = rows.filter(({ score }) => score >= threshold);
  return { boxes: listed, below: rows.length - listed.length };
}

/** The class of each pixel, and the share of each class: {width, height, classes, shares: [{label, index, share}]}. */
function segments({ classes }, problem) {
  const [height, width] = classes.shape;
  const counts = new Map();
  const indices = Uint32Array.from(classes.data, Number);
  for (const index of indices) counts.set(index, (counts.get(index) ?? 0) + 1);
  const shares = [...counts].map(([index, count]) => ({
    label: problem.classes[index],
    index,
    share: count / indices.length,
  }));
  return { width, height, classes: indices, shares: shares.sort((a, b) => b.share - a.share) };
}

/** {width, height, channels, data} of the reconstruction. */
function reconstruction({
  image_out: {
    shape: [height, width, channels],
    data,
  },
}) {
  return { width, height, channels, data };
}

/** The pictures: [{width, height, channels, data}]. */
function pictures({
  images: {
    shape: [count, height, width, channels],
    data,
  },
}) {
  const size = height * width * channels;
  return Array.from({ length: count }, (_, index) => ({
    width,
    height,
    channels,
    data: data.slice(index * size, (index + 1) * size),
  }));
}

/** The embedding, of unit length, as plain numbers. */
function embedding({ embedding: values }) {
  return numbers(values);
}

/** Each pair of embeddings with its similarity, and whether they are the same where a threshold was measured. */
export function pairs(embeddings, problem) {
  const threshold = problem.facts.threshold ?? null;
  return embeddings
    .flatMap((first, a) =>
      embeddings.slice(a + 1).map((second, offset) => {
        const similarity = first.reduce((sum, value, index) => sum + value * second[index], 0);
        return {
          first: a,
          second: a + 1 + offset,
          similarity,
          same: threshold === null ? null : similarity >= threshold,
        };
      }),
    )
    .sort((a, b) => b.similarity - a.similarity);
}

// --- generators -------------------------------------------------------------------------------------

/** The prompt and what the model writes after it; `onPart(text)` is told it as it grows, and false from it ends. */
async function writeText(run, inputs, feedback, problem, { length, temperature, topK, seed, onPart }) {
  const [draw, tokens] = [uniform(seed), numbers(inputs.tokens)];
  let outputs = await run(inputs);
  for (let step = 0; step < length; step += 1) {
    const scores = lastLogits(outputs).map((score, index) => (isSpecial(index) ? -Infinity : score));
    tokens.push(drawToken(scores, { temperature, topK, draw }));
    if ((await onPart?.(writtenText(tokens, problem), (step + 1) / length)) === false) break;
    outputs = await run({ tokens: array("int64", [1, 1], tokens.slice(-1)), ...carried(outputs, feedback) });
  }
  return writtenText(tokens, problem);
}

function writtenText(tokens, problem) {
  return decode(tokens, problem).replace(/^\n+|\n+$/g, "");
}

/** {signal, rate}: the sound that was given and what the model makes after it. */
async function writeSound(run, inputs, feedback, problem, { seconds, temperature, seed, onPart }) {
  const [draw, codes, rate] = [uniform(seed), numbers(inputs.samples), problem.input.sample_rate];
  const length = Math.round(seconds * rate);
  let outputs = await run(inputs);
  for (let step = 0; step < length; step += 1) {
    codes.push(drawToken(lastLogits(outputs), { temperature, draw }));
    if (step % 50 === 49 && (await onPart?.(null, (step + 1) / length)) === false) break;
    const following = { samples: array("int64", [1, 1], codes.slice(-1)), ...carried(outputs, feedback) };
    outputs = await run({ ...inputs, ...following });
  }
  return { signal: toSignal(codes.slice(1)), rate };
}

function lastLogits({ logits: { shape, data } }) {
  return Array.from(data.slice(data.length - shape.at(-1)));
}
