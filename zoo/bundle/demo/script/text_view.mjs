// The tasks that take a text.
import { readNpz, numbers } from "./arrays.mjs";
import { bars, button, element, fileButton, numberField, onDroppedFile, percent } from "./elements.mjs";
import { pairTable } from "./picture_answers.mjs";
import { pairs } from "./tasks.mjs";
import { decode } from "./text.mjs";

/** A text box, and the answer to what stands in it. */
export async function textView(main, bundle, { read, status }) {
  const { task } = bundle.manifest;
  const examples = await exampleTexts(bundle.manifest, read);
  const several = task === "text-embedding";
  const box = textBox(
    several ? "Your texts, one a line" : "Your text",
    several ? examples.join("\n") : (examples[0] ?? ""),
  );
  const answer = element("div", { class: "answer" });
  const show = status.guard(async () => {
    const notes = [];
    const settings = { onNote: (note) => notes.push(note) };
    status.say([await (several ? compare : classify)(bundle, box.input.value, answer, settings), ...notes].join(" "));
  });
  let waiting = 0;
  box.input.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(show, 250);
  });
  layout(main, box, [], several ? [] : exampleButtons(examples, box, show), answer, status);
  if (box.input.value) await show();
}

async function classify(bundle, text, answer, settings) {
  const rows = await bundle.predict(text, settings);
  answer.replaceChildren(bars(rows.slice(0, 5).map(({ label, probability }) => ({ label, share: probability }))));
  return `${rows[0].label}, with a probability of ${percent(rows[0].probability)}.`;
}

async function compare(bundle, text, answer, settings) {
  const texts = text.split("\n").filter((line) => line.trim());
  const embeddings = [];
  for (const line of texts) embeddings.push(await bundle.predict(line, settings));
  const rows = pairs(embeddings, bundle.manifest.problem);
  answer.replaceChildren(pairTable(rows.slice(0, 20), bundle.manifest.problem, (index) => texts[index]));
  return rows.length
    ? `Most alike: ${texts[rows[0].first]} and ${texts[rows[0].second]}, similarity ${rows[0].similarity.toFixed(3)}.`
    : "Write two lines or more to compare them.";
}

/** A prompt, and what the model writes after it. */
export async function promptView(main, bundle, { status }) {
  const box = textBox("The beginning", "");
  const fields = {
    length: numberField("Length", { type: "number", min: 1, max: 5000, step: 1, value: 200 }),
    temperature: numberField("Temperature", { min: 0, max: 2, step: 0.1, value: 0.8 }),
    topK: numberField("Only the likeliest (0: all)", { type: "number", min: 0, step: 1, value: 0 }),
    seed: numberField("Seed", { type: "number", min: 0, step: 1, value: 0 }),
  };
  const answer = element("pre", { class: "answer written", role: "region", tabindex: "0", "aria-label": "The text" });
  const { row } = stoppable("Write on", status, async (goesOn) => {
    const settings = Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.value()]));
    const onPart = async (text, share) => {
      answer.textContent = text;
      status.progress(share);
      return goesOn();
    };
    answer.textContent = await bundle.predict(box.input.value, { ...settings, onPart });
    return `Written: ${[...answer.textContent].length} characters.`;
  });
  layout(main, box, [...Object.values(fields).map((field) => field.row), row], [], answer, status);
}

/** A button that starts work, and one that stops it: {row}. */
export function stoppable(text, status, work) {
  let going = false;
  const start = button(
    text,
    status.guard(async () => {
      going = true;
      [start.disabled, stop.disabled] = [true, false];
      let last = performance.now();
      const goesOn = async () => {
        if (performance.now() - last > 50) {
          // the page must be able to draw and to hear of the other button
          await new Promise((resolve) => setTimeout(resolve));
          last = performance.now();
        }
        return going;
      };
      try {
        status.say(await work(goesOn));
      } finally {
        [start.disabled, stop.disabled] = [false, true];
      }
    }),
    { class: "primary" },
  );
  const stop = button(
    "Stop",
    () => {
      going = false;
    },
    { disabled: true },
  );
  return { row: element("div", { class: "row" }, start, stop) };
}

function textBox(label, value) {
  const input = element("textarea", { rows: 4, spellcheck: "false", "aria-labelledby": "input-title" });
  input.value = value;
  return { input, label, row: element("div", { class: "field wide" }, input) };
}

function layout(main, box, controls, examples, answer, status) {
  const open = status.guard(async (file) => {
    box.input.value = (await file.text()).replace(/^\ufeff/, "");
    box.input.dispatchEvent(new Event("input"));
  });
  onDroppedFile(open);
  main.append(
    element(
      "section",
      { "aria-labelledby": "input-title" },
      element("h2", { id: "input-title" }, box.label),
      element("p", { class: "dim" }, "Write it, or drop a text file anywhere. It never leaves this device."),
      box.row,
      element("div", { class: "row" }, fileButton("Open a text", "text/*,.txt", open)),
      ...examples,
      ...controls,
    ),
    element(
      "section",
      { "aria-labelledby": "answer-title" },
      element("h2", { id: "answer-title" }, "The answer"),
      status.node,
      answer,
    ),
  );
}

function exampleButtons(examples, box, show) {
  if (!examples.length) return [];
  const buttons = examples.map((text) =>
    button(text, () => {
      box.input.value = text;
      return show();
    }),
  );
  return [element("p", { class: "dim" }, "Examples from the proof:"), element("div", { class: "row" }, ...buttons)];
}

/** The texts of the golden cases, as far as tokens give them back. */
async function exampleTexts({ golden, pipeline, problem }, read) {
  const texts = await Promise.all(
    golden
      .filter(({ graph, origin }) => graph === pipeline && origin !== "synthetic")
      .map(async ({ file }) => {
        const tokens = (await readNpz(await read(file)))["in.tokens"];
        const length = tokens.shape.at(-1);
        return decode(numbers(tokens).slice(0, length), problem).trim();
      }),
  );
  return [...new Set(texts)].filter((text) => text && text.length < 60 && !text.includes("\ufffd")).slice(0, 6);
}
