// ONNX Runtime Web behind a pipe: a request is a line of JSON on stdin, a reply one on stdout, arrays lie in files.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const KINDS = {
  "|b1": ["bool", Uint8Array],
  "|i1": ["int8", Int8Array],
  "|u1": ["uint8", Uint8Array],
  "<i2": ["int16", Int16Array],
  "<u2": ["uint16", Uint16Array],
  "<i4": ["int32", Int32Array],
  "<u4": ["uint32", Uint32Array],
  "<i8": ["int64", BigInt64Array],
  "<u8": ["uint64", BigUint64Array],
  "<f4": ["float32", Float32Array],
  "<f8": ["float64", Float64Array],
};
const CODES = Object.fromEntries(Object.entries(KINDS).map(([code, [type]]) => [type, code]));
const SESSIONS = new Map();

const [script, wasm] = process.argv.slice(2);
const ort = await import(pathToFileURL(script).href);
ort.env.wasm.numThreads = 1; // a second thread would keep the process alive
ort.env.wasm.wasmBinary = readFileSync(wasm);
ort.env.logLevel = "error";

const REQUESTS = {
  hello: () => ({ version: ort.env.versions.web, node: process.versions.node }),

  open: async ({ model }) => {
    const beside = readdirSync(dirname(model)).filter((name) => !name.endsWith(".onnx")); // weights, where there are any
    const externalData = beside.map((path) => ({ path, data: new Uint8Array(readFileSync(join(dirname(model), path))) }));
    const session = await ort.InferenceSession.create(new Uint8Array(readFileSync(model)), { externalData });
    SESSIONS.set(SESSIONS.size, session);
    return { session: SESSIONS.size - 1, inputs: session.inputNames, outputs: session.outputNames };
  },

  close: async ({ session }) => {
    await SESSIONS.get(session).release();
    return {};
  },

  run: async ({ session, feeds, file }) => {
    const tensors = feeds.map(({ name, kind, shape, file: path }) => {
      const [type, Values] = KINDS[kind];
      const bytes = new Uint8Array(readFileSync(path));
      return [name, new ort.Tensor(type, new Values(bytes.buffer, 0, bytes.length / Values.BYTES_PER_ELEMENT), shape)];
    });
    const outputs = await SESSIONS.get(session).run(Object.fromEntries(tensors));
    const answers = SESSIONS.get(session).outputNames.map((name, index) => {
      const { type, dims, data } = outputs[name];
      if (!(type in CODES)) throw new Error(`output ${name} is a tensor of ${type}`);
      writeFileSync(`${file}-${index}`, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
      return { name, kind: CODES[type], shape: [...dims], file: `${file}-${index}` };
    });
    Object.values(outputs).forEach((tensor) => tensor.dispose());
    return { answers };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  let reply;
  try {
    reply = await REQUESTS[request.do](request);
  } catch (error) {
    reply = { error: String(error.message ?? error) };
  }
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}
