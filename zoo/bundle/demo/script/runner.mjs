// A bundle opened: its answers in plain values, and its golden cases replayed.
import { beyondProof, firstState, openGraph, replayCase } from "./graph.mjs";
import { TASKS } from "./tasks.mjs";

/** A bundle ready to answer; `ort` is onnxruntime-web or onnxruntime-node, `read(name)` gives the bytes of a file. */
export async function openBundle({ ort, manifest, read, options }) {
  const graphs = new Map();
  const graph = (name) => {
    if (!graphs.has(name))
      graphs.set(
        name,
        read(name).then((bytes) => openGraph(ort, bytes, name, options)),
      );
    return graphs.get(name);
  };
  const [task, { problem }] = [TASKS[manifest.task], manifest];
  const { state, feedback } = firstState(manifest.pipeline_signature);

  /** The answer for a value of what the task takes; sentences about sizes beyond the proof go to `onNote`. */
  async function predict(value, settings = {}) {
    const chosen = { ...task.defaults, ...settings };
    const inputs = { ...task.inputs(value, problem, chosen), ...state };
    beyondProof(inputs, manifest).forEach((sentence) => chosen.onNote?.(sentence));
    const run = await graph(manifest.pipeline);
    if (task.generate) return task.generate(run, inputs, feedback, problem, chosen);
    return task.answer(await run(inputs), problem, chosen);
  }

  /** Every golden case put to the graphs here: {proved, passed, cases: [{name, graph, origin, differences}]}. */
  async function replay(onCase) {
    const cases = [];
    for (const golden of manifest.golden) {
      const differences = await replayCase(await graph(golden.graph), golden, await read(golden.file));
      cases.push({ name: golden.name, graph: golden.graph, origin: golden.origin, differences });
      await onCase?.(cases.length, manifest.golden.length);
    }
    const proved = manifest.verdict !== "unproved";
    const passed = cases.length > 0 && cases.every(({ differences }) => !differences.length);
    return { proved, passed, cases };
  }

  return { manifest, predict, replay, run: async (inputs) => (await graph(manifest.pipeline))(inputs) };
}
