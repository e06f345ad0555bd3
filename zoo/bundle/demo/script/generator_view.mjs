// The tasks that make pictures and sounds.
import { button, choiceField, element, fileButton, numberField, onDroppedFile } from "./elements.mjs";
import { drawInto, fromLevels } from "./pictures.mjs";
import { readWave, waveBytes } from "./sound.mjs";
import { stoppable } from "./text_view.mjs";

/** Pictures from random latents. */
export async function latentView(main, bundle, { status }) {
  const fields = {
    count: numberField("Pictures", { type: "number", min: 1, max: 64, step: 1, value: 16 }),
    seed: numberField("Seed", { type: "number", min: 0, step: 1, value: 0 }),
  };
  const answer = element("div", { class: "answer sheet" });
  const make = status.guard(async () => {
    const count = Math.min(Math.max(Math.round(fields.count.value()), 1), 64);
    const pictures = await bundle.predict(null, { count, seed: fields.seed.value() });
    answer.replaceChildren(
      ...pictures.map((picture, index) => {
        const canvas = element("canvas", { role: "img", "aria-label": `Picture ${index + 1}` });
        drawInto(canvas, fromLevels(picture), 128);
        return canvas;
      }),
    );
    status.say(
      `${count} ${count === 1 ? "picture" : "pictures"} of ${pictures[0].height} by ${pictures[0].width} pixels.`,
    );
  });
  const seed = fields.seed.row.querySelector("input");
  const next = () => {
    seed.value = Number(seed.value) + 1;
    return make();
  };
  const controls = [
    fields.count.row,
    fields.seed.row,
    element("div", { class: "row" }, button("Make pictures", make, { class: "primary" }), button("Others", next)),
  ];
  twoSections(main, "What to draw from", "A seed gives the same pictures again in every browser.", controls, [
    status.node,
    answer,
  ]);
  await make();
}

/** Sound, sample by sample. */
export async function soundView(main, bundle, { status }) {
  const { problem } = bundle.manifest;
  const rate = problem.input.sample_rate;
  const choice = problem.classes.length ? choiceField("Class", problem.classes) : null;
  const fields = {
    seconds: numberField("Seconds", { type: "number", min: 0.1, max: 10, step: 0.1, value: 0.5 }),
    temperature: numberField("Temperature", { min: 0, max: 2, step: 0.1, value: 0.8 }),
    seed: numberField("Seed", { type: "number", min: 0, step: 1, value: 0 }),
  };
  const beginning = { signal: [] };
  const begins = element("p", { class: "dim" }, "It begins with silence.");
  const open = status.guard(async (file) => {
    const wave = readWave(new Uint8Array(await file.arrayBuffer()));
    if (wave.rate !== rate)
      throw new Error(`${file.name} has ${wave.rate} samples a second, and the model takes ${rate}.`);
    beginning.signal = wave.signal;
    begins.textContent = `It goes on from ${file.name}, ${(wave.signal.length / rate).toFixed(2)} s.`;
  });
  onDroppedFile(open);
  const answer = element("div", { class: "answer" });
  const { row } = stoppable("Make sound", status, async (goesOn) => {
    const settings = Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.value()]));
    const onPart = async (_, share) => {
      status.progress(share);
      return goesOn();
    };
    const sound = await bundle.predict({ ...beginning, className: choice?.value() }, { ...settings, onPart });
    answer.replaceChildren(...player(sound));
    return `${(sound.signal.length / sound.rate).toFixed(2)} s of sound at ${sound.rate} Hz.`;
  });
  const file = element("div", { class: "row" }, fileButton("Go on from a wav file", "audio/wav,.wav", open));
  const controls = [
    ...(choice ? [choice.row] : []),
    ...Object.values(fields).map((field) => field.row),
    file,
    begins,
    row,
  ];
  twoSections(main, "What to make", "A seed gives the same sound again in every browser.", controls, [
    status.node,
    answer,
  ]);
}

function player({ signal, rate }) {
  const url = URL.createObjectURL(new Blob([waveBytes(signal, rate)], { type: "audio/wav" }));
  const canvas = element("canvas", {
    width: 800,
    height: 160,
    role: "img",
    "aria-label": "The wave of the sound",
    class: "wave",
  });
  const pen = canvas.getContext("2d");
  pen.strokeStyle = getComputedStyle(document.body).color;
  pen.lineWidth = 1.5;
  pen.beginPath();
  signal.forEach((value, index) => pen.lineTo((index * 800) / Math.max(signal.length - 1, 1), 80 - 76 * value));
  pen.stroke();
  return [
    canvas,
    element("audio", { controls: true, src: url, "aria-label": "The sound" }),
    element("a", { href: url, download: "sound.wav" }, "Save it as a wav file"),
  ];
}

function twoSections(main, title, hint, controls, answers) {
  main.append(
    element(
      "section",
      { "aria-labelledby": "input-title" },
      element("h2", { id: "input-title" }, title),
      element("p", { class: "dim" }, hint),
      ...controls,
    ),
    element(
      "section",
      { "aria-labelledby": "answer-title" },
      element("h2", { id: "answer-title" }, "The answer"),
      ...answers,
    ),
  );
}
