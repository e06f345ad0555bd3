// Pictures in the page: decoded, drawn, taken from a camera or from a pad to draw on.
import { button, element } from "./elements.mjs";

const SHOWN_SIDE = 512;

/** {width, height, data, source} of a picture file, upright, transparency on white; an Error where it is none. */
export async function decodePicture(file, white = 65535) {
  const head = new Uint8Array(await file.slice(0, 26).arrayBuffer());
  if (head[0] === 0x89 && head[24] === 16 && white !== 65535) {
    // the depth that a PNG names
    throw new Error(
      `${file.name} has 16 bits, of which a browser shows this page only 8, and white is ${white} here: use zoo predict.`,
    );
  }
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image", colorSpaceConversion: "none" });
  } catch {
    throw new Error(`${file.name || "It"} is no picture that this browser can read.`);
  }
  return taken(bitmap, bitmap.width, bitmap.height);
}

/** The same of anything that a canvas can draw. */
export function taken(drawable, width, height) {
  const source = canvasOf(width, height);
  const pen = source.getContext("2d", { willReadFrequently: true });
  pen.fillStyle = "white";
  pen.fillRect(0, 0, width, height);
  pen.drawImage(drawable, 0, 0, width, height);
  return { width, height, data: pen.getImageData(0, 0, width, height).data, source };
}

/** The same of levels uint8 with 1, 3 or 4 channels. */
export function fromLevels({ width, height, channels, data }) {
  const image = new ImageData(width, height);
  for (let pixel = 0; pixel < width * height; pixel += 1) {
    for (let band = 0; band < 3; band += 1)
      image.data[4 * pixel + band] = data[pixel * channels + (channels === 1 ? 0 : band)];
    image.data[4 * pixel + 3] = 255;
  }
  const source = canvasOf(width, height);
  source.getContext("2d").putImageData(image, 0, 0);
  return { width, height, data: image.data, source };
}

export function canvasOf(width, height) {
  return Object.assign(document.createElement("canvas"), { width, height });
}

/** Draw a picture so large that small ones can be seen; returns the pen and the scale for what is drawn over it. */
export function drawInto(canvas, { width, height, source }, side = SHOWN_SIDE) {
  const scale = Math.min(side / Math.max(width, height), 16);
  canvas.width = Math.max(Math.round(width * scale), 1);
  canvas.height = Math.max(Math.round(height * scale), 1);
  const pen = canvas.getContext("2d");
  pen.imageSmoothingEnabled = scale < 2;
  pen.imageSmoothingQuality = "high";
  pen.drawImage(source, 0, 0, canvas.width, canvas.height);
  return { pen, scale };
}

/** A colour for each class: those of Pascal VOC, whose bits are spread over red, green and blue. */
export function classColour(index) {
  const band = (offset) =>
    [0, 1, 2, 3, 4, 5, 6, 7].reduce((sum, bit) => sum | (((index >> (3 * bit + offset)) & 1) << (7 - bit)), 0);
  return [band(0), band(1), band(2)];
}

/** A camera: `onFrame(picture)` is awaited before the next frame is taken. */
export async function openCamera(onFrame) {
  if (!navigator.mediaDevices?.getUserMedia) throw new Error("This browser gives this page no camera.");
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  } catch (error) {
    throw new Error(
      error.name === "NotAllowedError" ? "The camera was not allowed." : `There is no camera: ${error.message}`,
    );
  }
  const video = Object.assign(document.createElement("video"), { srcObject: stream, muted: true, playsInline: true });
  await video.play();
  let open = true;
  const frames = async () => {
    while (open) {
      if (video.videoWidth) await onFrame(taken(video, video.videoWidth, video.videoHeight));
      await new Promise(requestAnimationFrame);
    }
  };
  const done = frames();
  return async () => {
    open = false;
    stream.getTracks().forEach((track) => track.stop());
    await done;
  };
}

/** A pad to draw on with a finger, a mouse or the keyboard; `onPicture` gets what is drawn. */
export function drawingPad({ sides: [height, width], ink, paper, onPicture }) {
  const scale = 280 / Math.max(height, width);
  const canvas = canvasOf(Math.round(width * scale), Math.round(height * scale));
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const at = { x: canvas.width / 2, y: canvas.height / 2 };
  const clear = () => {
    pen.fillStyle = paper;
    pen.fillRect(0, 0, canvas.width, canvas.height);
  };
  const line = (x, y) => {
    Object.assign(pen, { strokeStyle: ink, lineWidth: Math.max(2.6 * scale, 8), lineCap: "round", lineJoin: "round" });
    pen.beginPath();
    pen.moveTo(at.x, at.y);
    pen.lineTo(x + 0.01, y);
    pen.stroke();
  };
  const done = () => onPicture(taken(canvas, canvas.width, canvas.height));
  pointerDrawing(canvas, at, line, done);
  keyboardDrawing(canvas, at, line, done);
  Object.entries({
    class: "pad",
    tabindex: "0",
    role: "application",
    "aria-label": "A pad to draw on. Arrow keys draw, with Shift they move without drawing.",
  }).forEach(([name, value]) => canvas.setAttribute(name, value));
  clear();
  const hint = element(
    "p",
    { class: "dim" },
    "Draw here: with a finger, a mouse, or the arrow keys (with Shift they move without drawing).",
  );
  return element("div", { class: "pad-box" }, canvas, hint, button("Clear the pad", clear));
}

function pointerDrawing(canvas, at, line, done) {
  const position = (event) => {
    const box = canvas.getBoundingClientRect();
    return [
      ((event.clientX - box.left) * canvas.width) / box.width,
      ((event.clientY - box.top) * canvas.height) / box.height,
    ];
  };
  const draw = (event) => {
    const [x, y] = position(event);
    line(x, y);
    Object.assign(at, { x, y });
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    const [x, y] = position(event);
    Object.assign(at, { x, y });
    draw(event);
  });
  canvas.addEventListener("pointermove", (event) => canvas.hasPointerCapture(event.pointerId) && draw(event));
  canvas.addEventListener("pointerup", done);
}

function keyboardDrawing(canvas, at, line, done) {
  const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  canvas.addEventListener("keydown", (event) => {
    if (!(event.key in steps)) return;
    event.preventDefault();
    const [x, y] = steps[event.key].map((step, axis) => {
      return Math.min(
        Math.max((axis ? at.y : at.x) + (step * canvas.width) / 28, 0),
        axis ? canvas.height : canvas.width,
      );
    });
    if (!event.shiftKey) line(x, y);
    Object.assign(at, { x, y });
    if (!event.shiftKey) done();
  });
}
