// The page: the runtime is unpacked, the proof replayed, and the task's view shown.
import { unpacked } from "./arrays.mjs";
import { element } from "./elements.mjs";
import { latentView, soundView } from "./generator_view.mjs";
import { pictureView } from "./picture_view.mjs";
import { openBundle } from "./runner.mjs";
import { TASKS } from "./tasks.mjs";
import { promptView, textView } from "./text_view.mjs";

const VIEWS = { picture: pictureView, text: textView, prompt: promptView, latent: latentView, sound: soundView };

/** The bytes of a file that the page holds; an Error where it holds none of that name. */
async function embedded(name) {
  const node = document.querySelector(`script[data-file="${CSS.escape(name)}"]`);
  if (!node) throw new Error(`this page holds no ${name}`);
  const bytes = Uint8Array.from(atob(node.textContent.trim()), (sign) => sign.charCodeAt(0));
  return node.dataset.packed ? unpacked(bytes, node.dataset.packed) : bytes;
}

async function loadRuntime() {
  const script = URL.createObjectURL(new Blob([await embedded("runtime.mjs")], { type: "text/javascript" }));
  const ort = await import(script);
  ort.env.logLevel = "error";
  ort.env.wasm.numThreads = 1; // more of them need a server that isolates the page
  ort.env.wasm.wasmBinary = await embedded("runtime.wasm");
  return ort;
}

/** The line that says what happened, also to a screen reader. */
function statusLine() {
  const node = element("p", { role: "status", "aria-live": "polite", class: "status" });
  const bar = element("progress", { max: 1, value: 0, "aria-label": "How far it is", hidden: true });
  const say = (text, wrong = false) => {
    node.textContent = text;
    node.classList.toggle("wrong", wrong);
    bar.hidden = true;
  };
  const progress = (share) => {
    bar.hidden = false;
    bar.value = share;
  };
  const guard =
    (work) =>
    async (...values) => {
      try {
        await work(...values);
      } catch (error) {
        say(error.message ?? String(error), true);
      }
    };
  const live = (going) => node.setAttribute("aria-live", going ? "off" : "polite"); // not every frame is read out
  return { node: element("div", {}, node, bar), say, progress, guard, live };
}

/** The golden cases put to this browser, with the verdict at the head of the page. */
async function replayProof(bundle) {
  const line = document.getElementById("verdict");
  const pause = async (done, all) => {
    line.textContent = `Replaying the proof here: ${done} of ${all} golden cases …`;
    await new Promise((resolve) => setTimeout(resolve));
  };
  const { proved, passed, cases } = await bundle.replay(pause);
  const good = cases.filter(({ differences }) => !differences.length).length;
  const said = !cases.length
    ? "The bundle has no golden cases, so nothing can be replayed."
    : passed
      ? `Replayed here: this browser gives all ${cases.length} recorded answers, within the tolerances of the proof.`
      : `This browser answers otherwise: ${good} of ${cases.length} golden cases are reproduced.`;
  line.textContent = proved ? said : `Published without a proof. ${said}`;
  const state = proved && passed ? "pass" : "fail";
  document.querySelector("header").className = state;
  const rows = cases.map(({ name, graph, origin, differences }) => {
    const cells = [name, graph, origin, differences.length ? differences.join("; ") : "reproduced"];
    return element("tr", {}, ...cells.map((cell) => element("td", {}, cell)));
  });
  document.getElementById("cases").replaceChildren(...rows);
  document.documentElement.dataset.proof = state;
}

function refuse(sentence) {
  const line = document.getElementById("verdict");
  line.textContent = sentence;
  document.querySelector("header").className = "fail";
  document.documentElement.dataset.proof = "none";
}

async function startPage() {
  if (typeof WebAssembly !== "object") {
    return refuse(
      "This page needs WebAssembly, which this browser does not have or has switched off: open it in a current Firefox, Chrome, Edge or Safari.",
    );
  }
  if (typeof DecompressionStream !== "function") {
    return refuse(
      "This page needs a browser of 2023 or later, which can unpack what it holds: open it in a current Firefox, Chrome, Edge or Safari.",
    );
  }
  const manifest = JSON.parse(document.getElementById("manifest").textContent);
  try {
    const ort = await loadRuntime();
    const bundle = await openBundle({ ort, manifest, read: embedded, options: { executionProviders: ["wasm"] } });
    const status = statusLine();
    const main = document.querySelector("main");
    await status.guard(() => VIEWS[TASKS[manifest.task].takes](main, bundle, { read: embedded, status }))();
    document.documentElement.dataset.ready = "yes";
    await replayProof(bundle);
  } catch (error) {
    refuse(`This browser cannot run the model: ${error.message ?? error}`);
  }
}

await startPage();
