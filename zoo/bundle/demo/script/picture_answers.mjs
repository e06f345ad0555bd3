// How the answers of tasks that take a picture are shown.
import { bars, button, element, numberField, percent } from "./elements.mjs";
import { classColour, drawInto, fromLevels } from "./pictures.mjs";
import { pairs } from "./tasks.mjs";

const LISTED = 20;

const PLAIN = { settings: () => ({}), controls: () => [] };
/** By task: how an answer is shown: its settings, its controls, and a sentence for the status line. */
export const SHOW = {
  "image-classification": showClasses,
  "object-detection": showBoxes,
  "semantic-segmentation": showSegments,
  "image-reconstruction": showReconstruction,
  "image-embedding": showEmbeddings,
};

function showClasses({ answer }) {
  return {
    ...PLAIN,
    answer: (rows) => {
      answer.replaceChildren(bars(rows.slice(0, 5).map(({ label, probability }) => ({ label, share: probability }))));
      return `${rows[0].label}, with a probability of ${percent(rows[0].probability)}.`;
    },
  };
}

function showBoxes({ problem, canvas, answer }) {
  let last = null;
  const threshold = numberField("Least score", {
    min: 0,
    max: 1,
    step: 0.05,
    value: problem.facts.threshold ?? 0.3,
    onchange: () => last && draw(...last),
  });
  const draw = (result, picture) => {
    last = [result, picture];
    const boxes = result.boxes.filter(({ score }) => score >= threshold.value());
    const { pen, scale } = drawInto(canvas, picture);
    const lines = boxes.map(({ label, score, box }) => {
      const colour = boxColour(problem.classes.indexOf(label));
      drawBox(
        pen,
        box.map((edge) => edge * scale),
        `${label} ${percent(score)}`,
        colour,
      );
      return { label: `${label} at ${box.map(Math.round).join(", ")}`, share: score, colour };
    });
    const rest = boxes.length > LISTED ? [element("p", {}, `and ${boxes.length - LISTED} more`)] : [];
    answer.replaceChildren(bars(lines.slice(0, LISTED)), ...rest);
    return boxes.length ? `${boxes.length} found: ${boxes.map(({ label }) => label).join(", ")}.` : "Nothing found.";
  };
  return { settings: () => ({ threshold: 0 }), controls: () => [threshold.row], answer: draw };
}

function boxColour(index) {
  return `hsl(${(index * 137.5) % 360}deg 75% 32%)`;
}

function drawBox(pen, [left, top, right, bottom], text, colour) {
  Object.assign(pen, {
    strokeStyle: colour,
    fillStyle: colour,
    lineWidth: 3,
    font: "600 15px system-ui, sans-serif",
    textBaseline: "top",
  });
  pen.strokeRect(left, top, right - left, bottom - top);
  const width = pen.measureText(text).width + 8;
  const [x, y] = [Math.max(Math.min(left - 1, pen.canvas.width - width), 0), top >= 22 ? top - 21 : Math.max(top, 0)];
  pen.fillRect(x, y, width, 20);
  pen.fillStyle = "white";
  pen.fillText(text, x + 4, y + 3);
}

function showSegments({ canvas, answer }) {
  let last = null;
  const opacity = numberField("How much of the mask", {
    min: 0,
    max: 1,
    step: 0.1,
    value: 0.6,
    onchange: () => last && draw(...last),
  });
  const draw = (result, picture) => {
    last = [result, picture];
    const levels = new Uint8Array(result.classes.length * 3);
    result.classes.forEach((index, pixel) => levels.set(classColour(index), 3 * pixel));
    const mask = fromLevels({ width: result.width, height: result.height, channels: 3, data: levels });
    const { pen } = drawInto(canvas, picture);
    pen.imageSmoothingEnabled = false;
    pen.globalAlpha = opacity.value();
    pen.drawImage(mask.source, 0, 0, canvas.width, canvas.height);
    pen.globalAlpha = 1;
    answer.replaceChildren(
      bars(
        result.shares
          .slice(0, LISTED)
          .map(({ label, share, index }) => ({ label, share, colour: `rgb(${classColour(index)})` })),
      ),
    );
    return `${result.shares.length} ${result.shares.length === 1 ? "class" : "classes"}; ${result.shares[0].label} on ${percent(result.shares[0].share)}.`;
  };
  return { settings: () => ({}), controls: () => [opacity.row], answer: draw };
}

function showReconstruction({ problem, canvas }) {
  const made = element("canvas", { role: "img", "aria-label": "What the model made of it", class: "stage" });
  const fields = {
    noise: numberField("Noise", { min: 0, max: 2, step: 0.1, value: 0, onchange: () => redo() }),
    seed: numberField("Seed", { type: "number", min: 0, step: 1, value: 0, onchange: () => redo() }),
  };
  let redo = () => {};
  return {
    settings: () => ({ noise: fields.noise.value(), seed: fields.seed.value() }),
    controls: (again) => {
      redo = again;
      return problem.input.noise ? [fields.noise.row, fields.seed.row] : [];
    },
    answer: (result) => {
      drawInto(made, fromLevels(result));
      canvas.after(made);
      return `Beside the picture: what the model made of it, ${result.height} by ${result.width} pixels.`;
    },
  };
}

function showEmbeddings({ problem, answer }) {
  const kept = [];
  const draw = () => {
    const rows = pairs(
      kept.map(({ embedding }) => embedding),
      problem,
    ).slice(0, LISTED);
    const thumbnails = kept.map(({ picture, name }, index) => {
      const canvas = element("canvas", { role: "img", "aria-label": `Picture ${index + 1}: ${name}` });
      drawInto(canvas, picture, 96);
      return element("figure", {}, canvas, element("figcaption", {}, `${index + 1}`));
    });
    answer.replaceChildren(
      element("div", { class: "row" }, ...thumbnails),
      pairTable(rows, problem),
      button("Forget these pictures", () => {
        kept.length = 0;
        draw();
      }),
    );
    return rows;
  };
  return {
    ...PLAIN,
    answer: (embedding, picture, name) => {
      if (name === "camera" && kept.at(-1)?.name === "camera") kept.pop();
      if (!kept.some((row) => row.picture === picture)) kept.push({ embedding, picture, name });
      draw();
      const last = kept.length - 1;
      const [best] = pairs(
        kept.map((row) => row.embedding),
        problem,
      ).filter(({ first, second }) => [first, second].includes(last));
      return best
        ? `Most like picture ${(best.first === last ? best.second : best.first) + 1}: similarity ${best.similarity.toFixed(3)}${verdictOf(best)}.`
        : "One picture; add another one to compare.";
    },
  };
}

function verdictOf({ same }) {
  return same === null ? "" : same ? ", the same" : ", different";
}

/** Pairs with their similarity as a table. */
export function pairTable(rows, problem, names = (index) => String(index + 1)) {
  if (!rows.length) return element("p", {}, "Two are needed to compare.");
  const cells = rows.map(({ first, second, similarity, same }) => {
    return element(
      "tr",
      {},
      ...[names(first), names(second), similarity.toFixed(3), same === null ? "" : same ? "same" : "different"].map(
        (cell) => element("td", {}, cell),
      ),
    );
  });
  const head = element(
    "tr",
    {},
    ...["first", "second", "similarity", problem.facts.threshold == null ? "" : "verdict"].map((name) =>
      element("th", { scope: "col" }, name),
    ),
  );
  return element(
    "div",
    { class: "scroll" },
    element("table", {}, element("thead", {}, head), element("tbody", {}, ...cells)),
  );
}
