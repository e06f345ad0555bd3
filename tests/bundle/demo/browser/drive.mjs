// Opens a page in headless Chromium, does what is asked, and prints what can be seen then as one JSON document.
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";

const job = JSON.parse(readFileSync(0, "utf8"));
const FAKE_CAMERA = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"];

/** Chromium of the system, or the one that npm has, which brings the libraries that it needs. */
async function executable() {
  if (job.chromium) return job.chromium;
  process.env.AWS_EXECUTION_ENV = "AWS_Lambda_nodejs22.x"; // it unpacks its libraries only there
  const { default: packed } = await import("@sparticuz/chromium");
  return packed.executablePath();
}

const STEPS = {
  drop: async (page, { name, type, base64 }) => {
    await page.evaluate(
      ([fileName, fileType, content]) => {
        const bytes = Uint8Array.from(atob(content), (sign) => sign.charCodeAt(0));
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File([bytes], fileName, { type: fileType }));
        document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
      },
      [name, type, base64],
    );
  },
  choose: async (page, { name, type, base64 }) => {
    await page.setInputFiles("input[type=file]", { name, mimeType: type, buffer: Buffer.from(base64, "base64") });
  },
  click: (page, name) => page.getByRole("button", { name, exact: true }).click(),
  fill: (page, [label, value]) => {
    const fields = page.locator("input, textarea"); // a section has the name of its heading too
    return page.getByLabel(label, { exact: true }).and(fields).fill(String(value));
  },
  draw: async (page, points) => {
    const box = await page.locator("canvas.pad").boundingBox();
    const at = ([x, y]) => [box.x + x * box.width, box.y + y * box.height];
    await page.mouse.move(...at(points[0]));
    await page.mouse.down();
    for (const point of points.slice(1)) await page.mouse.move(...at(point), { steps: 8 });
    await page.mouse.up();
  },
  keys: async (page, keys) => {
    await page.locator("canvas.pad").focus();
    for (const key of keys) await page.keyboard.press(key);
  },
  until: (page, pattern) =>
    page.waitForFunction((source) => new RegExp(source).test(document.querySelector(".status").textContent), pattern),
  picture: (page, path) => page.screenshot({ path, fullPage: true }),
};

async function visit(browser) {
  const { width = 1440, scheme = "light", without = [] } = job;
  const context = await browser.newContext({
    viewport: { width, height: 900 },
    colorScheme: scheme,
    bypassCSP: Boolean(job.axe),
  });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const [requests, errors] = [[], []];
  page.on("request", (request) => /^(file|blob|data):/.test(request.url()) || requests.push(request.url()));
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  await page.addInitScript((names) => names.forEach((name) => delete globalThis[name]), without);
  await page.goto(job.page);
  await page.waitForFunction(() => document.documentElement.dataset.proof);
  const said = [];
  for (const step of job.steps ?? []) {
    const [[kind, value]] = Object.entries(step);
    await STEPS[kind](page, value);
    if (kind === "until") said.push(await page.locator(".status").textContent());
  }
  const result = await page.evaluate(() => ({
    proof: document.documentElement.dataset.proof,
    verdict: document.getElementById("verdict").textContent,
    status: document.querySelector(".status")?.textContent ?? "",
    answer: document.querySelector(".answer")?.innerText ?? "",
    sideways: document.documentElement.scrollWidth > document.documentElement.clientWidth,
    canvases: [...document.querySelectorAll(".answer canvas, .stages canvas")].length,
    sound: document.querySelector("audio")?.src ?? "",
  }));
  return { ...result, said, requests, errors, violations: job.axe ? await violations(page) : [] };
}

async function violations(page) {
  await page.addScriptTag({ content: readFileSync(job.axe, "utf8") });
  const { violations: found } = await page.evaluate(() => globalThis.axe.run());
  return found.map(({ id, nodes }) => `${id}: ${nodes[0].html.slice(0, 120)} ${nodes[0].failureSummary}`);
}

const browser = await chromium.launch({
  executablePath: await executable(),
  args: ["--no-sandbox", "--disable-gpu", ...FAKE_CAMERA],
});
try {
  console.log(JSON.stringify(await visit(browser)));
} finally {
  await browser.close();
}
