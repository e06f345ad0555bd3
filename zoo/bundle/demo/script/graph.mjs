// A graph ready to run, and its golden cases replayed: the same rules as in the bundle's run.py.
import { array, readNpz, sizeOf, zeros } from "./arrays.mjs";

const [MAX_DIFFERING_LEVELS, FEW_LEVELS] = [1e-3, 2];

/** A function from a graph's inputs to its outputs, arrays by name. */
export async function openGraph(ort, bytes, name, options = {}) {
  let session;
  try {
    session = await ort.InferenceSession.create(bytes, options);
  } catch (error) {
    throw new Error(`ONNX Runtime cannot load ${name} here: ${error.message ?? error}`);
  }
  let last = Promise.resolve(); // a session runs one thing at a time
  return (inputs) => (last = last.catch(() => {}).then(() => runOnce(ort, session, inputs)));
}

async function runOnce(ort, session, inputs) {
  const tensors = Object.entries(inputs).map(([key, { dtype, data, shape }]) => {
    return [key, new ort.Tensor(dtype, data, shape)];
  });
  const outputs = await session.run(Object.fromEntries(tensors));
  return Object.fromEntries(
    session.outputNames.map((key) => {
      const { type, dims, data } = outputs[key];
      return [key, { dtype: type, shape: [...dims], data }];
    }),
  );
}

/** The zeros that a sequence begins with, by input, and the output that each is fed afterwards. */
export function firstState(signature) {
  const fed = signature.outputs.filter((port) => port.feeds);
  const feedback = Object.fromEntries(fed.map((port) => [port.feeds, port.name]));
  const ports = signature.inputs.filter((port) => port.name in feedback);
  const sides = (port) => port.shape.map((side) => (typeof side === "number" ? side : 1));
  return { state: Object.fromEntries(ports.map((port) => [port.name, zeros(port.dtype, sides(port))])), feedback };
}

/** What a run carries into the next one: the outputs that are state, by the input that takes them. */
export function carried(outputs, feedback) {
  return Object.fromEntries(Object.entries(feedback).map(([input, output]) => [input, outputs[output]]));
}

/** A sentence for each axis that is longer than any at which the bundle was proved. */
export function beyondProof(inputs, manifest) {
  const sentences = new Set();
  for (const port of manifest.pipeline_signature.inputs) {
    port.shape.forEach((axis, index) => {
      const [size, proved] = [inputs[port.name]?.shape[index], manifest.proved?.[axis]];
      if (size > proved) sentences.add(`Its ${axis} is ${size}, and the export was proved up to ${proved}.`);
    });
  }
  return [...sentences];
}

/** Sentences about the outputs of one golden case that differ from the recorded answers; none is good. */
export async function replayCase(run, golden, bytes) {
  const stored = await readNpz(bytes);
  const part = (prefix) =>
    Object.fromEntries(
      Object.entries(stored)
        .filter(([name]) => name.startsWith(prefix))
        .map(([name, value]) => [name.slice(prefix.length), value]),
    );
  const [inputs, expected] = [part("in."), part("out.")];
  const answers = await rollOut(run, inputs, golden);
  return golden.outputs.flatMap((output) => {
    const wrong = answers[output.name] ? difference(answers[output.name], expected[output.name], output) : "is missing";
    return wrong ? [`${golden.name}: ${output.name} ${wrong}`] : [];
  });
}

async function rollOut(run, inputs, { steps, feedback }) {
  if (steps === 1) return run(inputs);
  let state = Object.fromEntries(Object.keys(feedback).map((name) => [name, inputs[name]]));
  const answers = [];
  for (let step = 0; step < steps; step += 1) {
    const sliced = Object.entries(inputs).filter(([name]) => !(name in feedback));
    answers.push(
      await run({ ...Object.fromEntries(sliced.map(([name, value]) => [name, row(value, step)])), ...state }),
    );
    state = carried(answers[step], feedback);
  }
  return Object.fromEntries(
    Object.keys(answers[0]).map((name) => [name, stacked(answers.map((answer) => answer[name]))]),
  );
}

function row({ dtype, shape, data }, index) {
  const size = sizeOf(shape.slice(1));
  return { dtype, shape: shape.slice(1), data: data.slice(index * size, (index + 1) * size) };
}

function stacked(rows) {
  const values = rows.flatMap(({ data }) => Array.from(data, Number));
  return array("float64", [rows.length, ...rows[0].shape], values);
}

/** Why an answer is not the expected one; empty when it is, within its tolerance. */
export function difference(answer, expected, tolerance) {
  if (answer.shape.join() !== expected.shape.join()) {
    return `has shape [${answer.shape.join(", ")}] instead of [${expected.shape.join(", ")}]`;
  }
  let [largest, squares, differing, size] = [0, 0, 0, answer.data.length];
  for (let index = 0; index < size; index += 1) {
    const error = Math.abs(Number(answer.data[index]) - Number(expected.data[index]));
    if (error !== 0) differing += 1;
    squares += error * error;
    largest = Number.isNaN(error) ? NaN : error > largest ? error : largest; // once not a number, never near again
  }
  const rms = Math.sqrt(squares / Math.max(size, 1));
  const few = differing <= Math.max(MAX_DIFFERING_LEVELS * size, FEW_LEVELS);
  const near = largest <= (tolerance.max ?? 0) && rms <= (tolerance.rms ?? 0) && !Number.isNaN(squares);
  const rules = { equal: differing === 0, choice: few, levels: few && largest <= 1 };
  const within = rules[tolerance.compare] ?? near;
  return within ? "" : `is off by up to ${largest.toPrecision(3)} (rms ${rms.toPrecision(3)})`;
}
