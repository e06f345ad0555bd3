// ONNX Runtime Web behind a pipe: a request is a line of JSON on stdin, a reply one on stdout, arrays lie in files.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { sessionsOf } from "./onnxruntime_web_sessions.mjs";

const [script, wasm] = process.argv.slice(2);
const ort = await import(pathToFileURL(script).href);
ort.env.wasm.numThreads = 1; // a second thread would keep the process alive
ort.env.wasm.wasmBinary = readFileSync(wasm);
ort.env.logLevel = "error";
const sessions = sessionsOf(ort);
const bytesOf = (path) => new Uint8Array(readFileSync(path));

const REQUESTS = {
  hello: () => ({ version: ort.env.versions.web, node: process.versions.node }),

  open: async ({ model }) => {
    const beside = readdirSync(dirname(model)).filter((name) => !name.endsWith(".onnx")); // weights, where there are any
    return sessions.open(
      bytesOf(model),
      beside.map((path) => ({ path, data: bytesOf(join(dirname(model), path)) })),
    );
  },

  close: async ({ session }) => {
    await sessions.close(session);
    return {};
  },

  run: async ({ session, feeds, file }) => {
    const given = feeds.map((feed) => ({ ...feed, bytes: bytesOf(feed.file) }));
    const answers = (await sessions.run(session, given)).map(({ bytes, ...answer }, index) => {
      writeFileSync(`${file}-${index}`, bytes);
      return { ...answer, file: `${file}-${index}` };
    });
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
