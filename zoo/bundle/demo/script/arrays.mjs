// Arrays as numpy stores them: {dtype, shape, data}, the data a typed array in row-major order.

const DTYPES = {
  "|b1": ["bool", Uint8Array],
  "|u1": ["uint8", Uint8Array],
  "|i1": ["int8", Int8Array],
  "<u2": ["uint16", Uint16Array],
  "<i2": ["int16", Int16Array],
  "<u4": ["uint32", Uint32Array],
  "<i4": ["int32", Int32Array],
  "<u8": ["uint64", BigUint64Array],
  "<i8": ["int64", BigInt64Array],
  "<f4": ["float32", Float32Array],
  "<f8": ["float64", Float64Array],
};

/** How typed arrays are called by the dtype they hold. */
export const HOLDERS = Object.fromEntries(Object.values(DTYPES));

/** An array of a dtype from plain numbers. */
export function array(dtype, shape, values) {
  const wide = dtype === "int64" || dtype === "uint64";
  return { dtype, shape, data: HOLDERS[dtype].from(values, wide ? BigInt : Number) };
}

/** Zeros of a dtype. */
export function zeros(dtype, shape) {
  return { dtype, shape, data: new HOLDERS[dtype](sizeOf(shape)) };
}

/** The values of an array as plain numbers, int64 too. */
export function numbers(values) {
  return Array.from(values.data, Number);
}

/** How many elements a shape has. */
export function sizeOf(shape) {
  return shape.reduce((product, side) => product * side, 1);
}

/** The arrays of an .npz file by name. */
export async function readNpz(bytes) {
  const entries = await Promise.all(
    [...zipEntries(bytes)].map(async ({ name, method, packed }) => {
      return [name.replace(/\.npy$/, ""), readNpy(method === 8 ? await unpacked(packed, "deflate-raw") : packed)];
    }),
  );
  return Object.fromEntries(entries);
}

/** Bytes that were packed with "gzip", "deflate" or "deflate-raw". */
export async function unpacked(bytes, format) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream(format));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function* zipEntries(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let end = bytes.length - 22;
  while (end >= 0 && view.getUint32(end, true) !== 0x06054b50) end -= 1;
  if (end < 0) throw new Error("the golden case is no .npz file");
  let at = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left > 0; left -= 1) {
    const [size, nameSize] = [view.getUint32(at + 20, true), view.getUint16(at + 28, true)];
    const local = view.getUint32(at + 42, true);
    const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameSize));
    yield { name, method: view.getUint16(at + 10, true), packed: bytes.subarray(start, start + size) };
    at += 46 + nameSize + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
}

function readNpy(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [start, size] = bytes[6] === 1 ? [10, view.getUint16(8, true)] : [12, view.getUint32(8, true)];
  const header = new TextDecoder("latin1").decode(bytes.subarray(start, start + size));
  const [, descr] = header.match(/'descr': '([^']*)'/);
  const shape = header
    .match(/'shape': \(([^)]*)\)/)[1]
    .split(",")
    .filter((side) => side.trim())
    .map(Number);
  if (!(descr in DTYPES)) throw new Error(`the golden case holds ${descr}, which is no dtype of a graph`);
  const [dtype, Holder] = DTYPES[descr];
  const data = new Holder(bytes.slice(start + size).buffer);
  return { dtype, shape, data: /'fortran_order': True/.test(header) ? rowMajor(data, shape) : data };
}

function rowMajor(data, shape) {
  const strides = shape.map((_, axis) => sizeOf(shape.slice(0, axis)));
  return data.map((_, index) => {
    let [rest, from] = [index, 0];
    for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
      from += (rest % shape[axis]) * strides[axis];
      rest = Math.floor(rest / shape[axis]);
    }
    return data[from];
  });
}
