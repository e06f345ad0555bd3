// The runner by itself: in Node as a command, and as a module in Node and in browsers.
import { array } from "./arrays.mjs";
import { openBundle } from "./runner.mjs";
import { readWave, waveBytes } from "./sound.mjs";
import { TASKS, pairs } from "./tasks.mjs";

export { array, pairs, readWave, waveBytes };

const HELP = `Answers from this bundle in Node, and its self-test.

    node run.mjs --self-test           every golden case, put to this device
    node run.mjs [options] INPUT ...   answers; INPUT is a picture, a text in quotes, a wav file or a class

Options: --json, --threshold T, --seed N, --count N, --length N, --temperature T, --top-k N, --seconds S
Exit code 0: done.  1: the self-test differs.  2: bad usage or file.`;
const OPTIONS = {
  "--threshold": "threshold",
  "--seed": "seed",
  "--count": "count",
  "--length": "length",
  "--temperature": "temperature",
  "--top-k": "topK",
  "--seconds": "seconds",
};
class Usage extends Error {}

/** The bundle beside this file, ready to answer; `ort` is the module onnxruntime-web unless another one is given. */
export async function openRunner({ ort, base = new URL(".", import.meta.url), options } = {}) {
  const read = (name) => readBytes(new URL(name, base));
  const manifest = JSON.parse(new TextDecoder().decode(await read("manifest.json")));
  return openBundle({ ort: ort ?? (await onnxRuntime()), manifest, read, options });
}

async function onnxRuntime() {
  try {
    const ort = await import("onnxruntime-web");
    ort.env.wasm.numThreads = 1; // a second thread would keep the process alive
    return ort;
  } catch (error) {
    throw new Usage(`onnxruntime-web is not installed (${error.code ?? error.message}): npm install onnxruntime-web`);
  }
}

async function readBytes(url) {
  if (url.protocol === "file:" && globalThis.process?.versions?.node) {
    const { readFile } = await import("node:fs/promises");
    return new Uint8Array(await readFile(url));
  }
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url} cannot be had: the server answers ${answer.status}`);
  return new Uint8Array(await answer.arrayBuffer());
}

/** What a word of the command line means to the task. */
async function valueOf(argument, { task, problem }) {
  const { existsSync, readFileSync } = await import("node:fs");
  const { takes } = TASKS[task];
  if (takes === "latent") return null;
  if (takes === "text" || takes === "prompt")
    return existsSync(argument) ? readFileSync(argument, "utf8").replace(/^\ufeff/, "") : argument;
  if (takes === "picture") return readPicture(argument);
  if (!argument.toLowerCase().endsWith(".wav")) return { className: argument };
  const { rate, signal } = readWave(new Uint8Array(readFileSync(argument)));
  if (rate !== problem.input.sample_rate)
    throw new Usage(`${argument} has ${rate} samples a second, and the model takes ${problem.input.sample_rate}`);
  return { signal };
}

async function readPicture(path) {
  let sharp;
  try {
    ({ default: sharp } = await import("sharp"));
  } catch {
    throw new Usage("pictures are decoded by sharp, which is not installed: npm install sharp");
  }
  const picture = sharp(path).rotate().flatten({ background: "white" }).toColourspace("srgb").removeAlpha().raw();
  const { data, info } = await picture.toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data };
}

function parsed(words) {
  const [settings, inputs] = [{}, []];
  for (let at = 0; at < words.length; at += 1) {
    if (words[at] === "--json") settings.json = true;
    else if (words[at] in OPTIONS) {
      const value = Number(words[at + 1]);
      if (!words[at + 1] || !Number.isFinite(value) || value < 0) throw new Usage(`${words[at]} takes a number`);
      settings[OPTIONS[words[at]]] = value;
      at += 1;
    } else if (words[at].startsWith("--")) throw new Usage(`there is no option ${words[at]}`);
    else inputs.push(words[at]);
  }
  return { settings, inputs };
}

async function answer(runner, { settings, inputs }) {
  const { task, problem } = runner.manifest;
  const answers = [];
  for (const input of TASKS[task].takes === "latent" ? [""] : inputs) {
    const onNote = (sentence) => console.error(`${input}: ${sentence}`);
    answers.push({
      input,
      answer: await runner.predict(await valueOf(input, { task, problem }), { ...settings, onNote }),
    });
  }
  if (settings.json)
    return console.log(JSON.stringify(answers, (_, value) => (ArrayBuffer.isView(value) ? [...value] : value)));
  for (const { input, answer: value } of answers) await show(input, value, task);
  if (task.endsWith("-embedding")) {
    for (const { first, second, similarity, same } of pairs(
      answers.map((row) => row.answer),
      problem,
    )) {
      const word = same === null ? "" : same ? "same  " : "different  ";
      console.log(`${similarity.toFixed(4)}  ${word}${inputs[first]}  ${inputs[second]}`);
    }
  }
}

async function show(input, value, task) {
  const percent = (share) => `${(100 * share).toFixed(2).padStart(6)}%`;
  const lines = {
    "image-classification": () => value.slice(0, 5).map((row) => `${percent(row.probability)}  ${row.label}`),
    "text-classification": () => value.slice(0, 5).map((row) => `${percent(row.probability)}  ${row.label}`),
    "object-detection": () =>
      value.boxes.map(
        (row) => `${percent(row.score)}  ${row.label}  at ${row.box.map((edge) => edge.toFixed(1)).join(", ")}`,
      ),
    "semantic-segmentation": () => value.shares.map((row) => `${percent(row.share)}  ${row.label}`),
    "image-reconstruction": () => [
      `${value.height} x ${value.width} picture, ${value.channels} channels (--json has its levels)`,
    ],
    "image-generation": () => [
      `${value.length} pictures of ${value[0].height} x ${value[0].width} (--json has their levels)`,
    ],
    "text-generation": () => [value],
  };
  if (task === "audio-generation") return saveSound(value);
  const said = lines[task]?.() ?? [
    `${value.length} numbers: ${value
      .slice(0, 6)
      .map((part) => part.toFixed(4))
      .join(" ")} …`,
  ];
  for (const line of said.length ? said : ["nothing found"]) console.log(input ? `${input}: ${line}` : line);
}

async function saveSound({ signal, rate }) {
  const { existsSync, writeFileSync } = await import("node:fs");
  let number = 1;
  while (existsSync(`sound-${number}.wav`)) number += 1;
  writeFileSync(`sound-${number}.wav`, waveBytes(signal, rate), { flag: "wx" });
  console.log(`sound-${number}.wav, ${(signal.length / rate).toFixed(2)} s at ${rate} Hz`);
}

async function selfTest(runner) {
  const { proved, passed, cases } = await runner.replay();
  for (const line of cases.flatMap(({ differences }) => differences)) console.log(line);
  console.log(
    !proved
      ? "this bundle was published without a proof"
      : passed
        ? `self-test passed: ${cases.length} golden cases`
        : "self-test failed",
  );
  return proved && passed ? 0 : 1;
}

function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 12))
    throw new Usage(`this runner needs Node 20.12 or newer, and this is ${process.versions.node}`);
}

async function main(words) {
  process.stdout.on("error", (error) => process.exit(error.code === "EPIPE" ? 141 : 2)); // nobody reads on: | head
  try {
    checkNode();
    if (words.includes("--help") || words.includes("-h")) return console.log(HELP) ?? 0;
    const runner = await openRunner();
    if (words.join() === "--self-test") return await selfTest(runner);
    const request = parsed(words);
    if (!request.inputs.length && TASKS[runner.manifest.task].takes !== "latent") throw new Usage(HELP);
    await answer(runner, request);
    return 0;
  } catch (error) {
    console.error(error.message);
    return 2;
  }
}

if (globalThis.process?.argv?.[1]) {
  const [{ pathToFileURL }, { realpathSync }] = [await import("node:url"), await import("node:fs")];
  if (pathToFileURL(realpathSync(process.argv[1])).href === import.meta.url)
    process.exitCode = await main(process.argv.slice(2));
}
