// Wav files, and mu-law codes (ITU-T G.711, without its rounding): 256 levels, finer where a sound is soft.

const MU = 255;
export const SILENCE = 128;

/** Codes 0..255 of values in -1..1, clipped there. */
export function toCodes(signal) {
  return Array.from(signal, (value) => {
    const clipped = Math.min(Math.max(value, -1), 1);
    const squeezed = (Math.sign(clipped) * Math.log1p(MU * Math.abs(clipped))) / Math.log1p(MU);
    return Math.floor(((squeezed + 1) / 2) * MU + 0.5);
  });
}

/** The value in the middle of each code's level, in -1..1. */
export function toSignal(codes) {
  return Float64Array.from(codes, (code) => {
    return (Math.sign(code - MU / 2) * Math.expm1(Math.abs((2 * code) / MU - 1) * Math.log1p(MU))) / MU;
  });
}

/** The bytes of a wav file of one channel and 16 bits, from values in -1..1. */
export function waveBytes(signal, rate) {
  const view = new DataView(new ArrayBuffer(44 + 2 * signal.length));
  const word = (at, text) => [...text].forEach((sign, index) => view.setUint8(at + index, sign.charCodeAt(0)));
  word(0, "RIFF");
  view.setUint32(4, 36 + 2 * signal.length, true);
  word(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, 2 * rate, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  word(36, "data");
  view.setUint32(40, 2 * signal.length, true);
  signal.forEach((value, index) =>
    view.setInt16(44 + 2 * index, Math.round(Math.min(Math.max(value, -1), 1) * 32767), true),
  );
  return new Uint8Array(view.buffer);
}

/** {rate, signal} of a wav file of PCM or floating point, the mean of all channels; an Error says what is wrong. */
export function readWave(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const word = (at) => String.fromCharCode(...bytes.subarray(at, at + 4));
  if (word(0) !== "RIFF") throw new Error("It does not start with RIFF, as a wav file does.");
  let [at, form] = [12, -1];
  while (at + 8 <= bytes.length) {
    const size = view.getUint32(at + 4, true);
    if (word(at) === "fmt ") form = at + 8;
    if (word(at) === "data" && form >= 0) return samples(view, form, at + 8, size);
    at += 8 + size + (size % 2);
  }
  throw new Error("It is cut off: no sound is in it.");
}

function samples(view, form, start, promised) {
  const [plain, channels, rate, bits] = [0, 2, 4, 14].map((at) =>
    at === 4 ? view.getUint32(form + at, true) : view.getUint16(form + at, true),
  );
  const kind = plain === 0xfffe ? view.getUint16(form + 24, true) : plain;
  const width = bits / 8;
  const readers = {
    1: (at) => view.getUint8(at) / 128 - 1,
    2: (at) => view.getInt16(at, true) / 2 ** 15,
    3: (at) => (view.getUint16(at, true) / 2 ** 16 + view.getInt8(at + 2)) / 2 ** 7,
    4: (at) => (kind === 3 ? view.getFloat32(at, true) : view.getInt32(at, true) / 2 ** 31),
    8: (at) => view.getFloat64(at, true),
  };
  if (!channels || !(kind === 1 ? [1, 2, 3, 4] : kind === 3 ? [4, 8] : []).includes(width)) {
    throw new Error("Its samples are not PCM: ffmpeg -i OLD.wav -c:a pcm_s16le NEW.wav converts it.");
  }
  const there = view.byteLength - start;
  const unknown = promised === 0 || promised >= 0x7ffff000; // what writes into a pipe cannot know the length
  if (!unknown && there < promised) throw new Error(`It is cut off: ${there} of ${promised} bytes of sound are there.`);
  const count = Math.floor((unknown ? there : promised) / (channels * width));
  const signal = new Float64Array(count);
  for (let index = 0; index < count; index += 1) {
    for (let channel = 0; channel < channels; channel += 1) {
      signal[index] += readers[width](start + (index * channels + channel) * width) / channels;
    }
  }
  if (!signal.every(Number.isFinite)) throw new Error("It holds values that are not finite.");
  return { rate, signal };
}
