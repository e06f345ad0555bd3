// Sessions of ONNX Runtime Web, in Node and in a browser; an array is its bytes with a dtype as numpy writes it.

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

/** `open`, `close` and `run` with the module onnxruntime-web; sessions are numbers. */
export function sessionsOf(ort) {
  const sessions = new Map();
  return {
    open: async (bytes, externalData) => {
      const session = await ort.InferenceSession.create(bytes, { externalData });
      sessions.set(sessions.size, session);
      return { session: sessions.size - 1, inputs: session.inputNames, outputs: session.outputNames };
    },
    close: (session) => sessions.get(session).release(),
    run: async (session, feeds) => {
      const tensors = feeds.map(({ name, kind, shape, bytes }) => {
        const [type, Values] = KINDS[kind];
        return [name, new ort.Tensor(type, new Values(bytes.slice().buffer), shape)];
      });
      const outputs = await sessions.get(session).run(Object.fromEntries(tensors));
      const answers = sessions.get(session).outputNames.map((name) => {
        const { type, dims, data } = outputs[name];
        if (!(type in CODES)) throw new Error(`output ${name} is a tensor of ${type}`);
        const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
        return { name, kind: CODES[type], shape: [...dims], bytes };
      });
      Object.values(outputs).forEach((tensor) => tensor.dispose());
      return answers;
    },
  };
}
