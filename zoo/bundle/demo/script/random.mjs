// Random numbers from a seed, the same in every browser; other ones than numpy draws from it.

/** A function that draws uniformly from 0 (included) to 1: C. Doty-Humphrey's sfc32. */
export function uniform(seed) {
  let [a, b, c, counter] = [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0, 0x9e3779b9, 1];
  const draw = () => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  };
  for (let warm = 0; warm < 15; warm += 1) draw();
  return draw;
}

/** So many draws from a unit normal (G. Box and M. Muller, 1958), as a Float32Array. */
export function normal(count, seed) {
  const draw = uniform(seed);
  return Float32Array.from(
    { length: count },
    () => Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw()),
  );
}

/** An index drawn from the softmax of scores / temperature, among the topK likeliest; at 0 the likeliest. */
export function drawToken(scores, { temperature, topK = 0, draw }) {
  let order = Array.from(scores.keys()).filter((index) => scores[index] > -Infinity);
  if (topK > 0 || temperature <= 0) order.sort((a, b) => scores[b] - scores[a] || a - b);
  if (temperature <= 0) return order[0];
  if (topK > 0) order = order.slice(0, topK);
  const most = order.reduce((best, index) => Math.max(best, scores[index]), -Infinity);
  const weights = order.map((index) => Math.exp((scores[index] - most) / temperature));
  let left = draw() * weights.reduce((sum, weight) => sum + weight, 0);
  const position = weights.findIndex((weight) => (left -= weight) < 0);
  return order[position < 0 ? order.length - 1 : position];
}
