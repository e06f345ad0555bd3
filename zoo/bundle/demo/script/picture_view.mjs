// The tasks that take a picture: its sources on the left, the answer on the right.
import { readNpz } from "./arrays.mjs";
import { button, element, fileButton, onDroppedFile } from "./elements.mjs";
import { SHOW } from "./picture_answers.mjs";
import { canvasOf, decodePicture, drawInto, drawingPad, fromLevels, openCamera } from "./pictures.mjs";

const PAD_SIDE = 128; // pictures up to this side that are grey can be drawn by hand

/** Sources and answers of a task that takes a picture. */
export async function pictureView(main, bundle, { read, status }) {
  const { task, problem } = bundle.manifest;
  const canvas = element("canvas", { role: "img", "aria-label": "No picture yet", class: "stage" });
  const answer = element("div", { class: "answer" });
  const show = SHOW[task]({ problem, canvas, answer });
  let shown = null;
  const put = async (picture, name) => {
    shown = { picture, name };
    drawInto(canvas, picture);
    canvas.setAttribute("aria-label", `The picture: ${name}, ${picture.width} by ${picture.height} pixels`);
    const notes = [];
    const result = await bundle.predict(picture, { ...show.settings(), onNote: (note) => notes.push(note) });
    status.say([show.answer(result, picture, name), ...notes].join(" "));
  };
  const redo = () => shown && status.guard(() => put(shown.picture, shown.name))();
  const open = status.guard(async (file) =>
    put(await decodePicture(file, problem.facts.white_level), file.name || "pasted picture"),
  );
  onDroppedFile(open);
  const examples = await examplePictures(bundle.manifest, read);
  main.append(
    element(
      "section",
      { "aria-labelledby": "input-title" },
      element("h2", { id: "input-title" }, "Your picture"),
      element(
        "p",
        { class: "dim" },
        "Drop a picture anywhere, paste one, or take one of these. It never leaves this device.",
      ),
      element("div", { class: "row" }, fileButton("Open a picture", "image/*", open), cameraButton(put, status)),
      ...pad(problem, examples, put, status),
      ...exampleRow(examples, put, status),
      ...show.controls(redo),
    ),
    element(
      "section",
      { "aria-labelledby": "answer-title" },
      element("h2", { id: "answer-title" }, "The answer"),
      element("div", { class: "stages" }, canvas),
      status.node,
      answer,
    ),
  );
  if (examples.length) await put(examples[0].picture, examples[0].name);
}

function cameraButton(put, status) {
  let close = null;
  const toggle = status.guard(async () => {
    if (close) {
      await close();
      close = null;
    } else {
      close = await openCamera((picture) => status.guard(put)(picture, "camera"));
    }
    status.live(close !== null);
    node.textContent = close ? "Stop the camera" : "Use the camera";
    node.setAttribute("aria-pressed", String(close !== null));
  });
  const node = button("Use the camera", toggle, { "aria-pressed": "false" });
  return node;
}

function pad(problem, examples, put, status) {
  const { channels, size } = problem.input;
  if (channels !== 1 || Math.max(...size) > PAD_SIDE) return [];
  const dark = examples.length > 0 && examples[0].picture.data[0] < 128; // white on black, as the model's own data
  const [ink, paper] = dark ? ["white", "black"] : ["black", "white"];
  return [drawingPad({ sides: size, ink, paper, onPicture: (picture) => status.guard(put)(picture, "drawing") })];
}

/** The golden cases of the pipeline as pictures: [{name, picture}], those of data before made-up ones. */
async function examplePictures({ golden, pipeline }, read) {
  const cases = golden.filter(({ graph, steps }) => graph === pipeline && steps === 1);
  const pictures = await Promise.all(
    cases.map(async ({ file, origin, name }) => {
      const {
        shape: [height, width],
        data,
      } = (await readNpz(await read(file)))["in.image"];
      const made = origin === "synthetic" ? 1 : 0;
      return {
        name: made ? `made up, ${name}` : origin,
        made,
        picture: fromLevels({ width, height, channels: 3, data }),
      };
    }),
  );
  const side = ({ picture }) => (Math.min(picture.width, picture.height) < 16 ? 1 : 0);
  return pictures.sort((a, b) => a.made - b.made || side(a) - side(b)).slice(0, 6);
}

function exampleRow(examples, put, status) {
  if (!examples.length) return [];
  const buttons = examples.map(({ picture, name }) => {
    const thumbnail = canvasOf(1, 1);
    drawInto(thumbnail, picture, 96);
    return element(
      "button",
      {
        type: "button",
        class: "example",
        "aria-label": `Example: ${name}`,
        title: name,
        onclick: status.guard(() => put(picture, name)),
      },
      thumbnail,
    );
  });
  return [element("p", { class: "dim" }, "Examples from the proof:"), element("div", { class: "row" }, ...buttons)];
}
