/** Chromium with the page in it. */

import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, extname, join } from "node:path";
import { chromium } from "playwright-core";
import { build } from "../build.js";
import { serve } from "../serve.js";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const executablePath = process.env.CHROMIUM ?? PLACES.find(existsSync);
if (!executablePath) throw new Error("no Chromium here: apt-get install chromium, or name one in CHROMIUM");

export const CAMERA = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"];
export const SOFTWARE_WEBGPU = [
  "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan", "--use-vulkan=swiftshader",
]; // prettier-ignore

/** --no-sandbox: Chromium refuses to run as root, which a container of CI is, with one. */
export const launch = (...args) =>
  chromium.launch({ executablePath, args: ["--no-sandbox", "--autoplay-policy=no-user-gesture-required", ...args] });

/** A site with these models, served. options: of `serve`. */
export async function site(models, options) {
  const folder = mkdtempSync(join(tmpdir(), "tfflow-site-"));
  build(folder, models);
  return { folder, ...(await serve(folder, options)) };
}

/** The page at an address, loaded; `change(page)` may put something in its way before. */
export async function open(browser, address, { change = () => {}, viewport = { width: 1280, height: 900 } } = {}) {
  const context = await browser.newContext({ viewport, acceptDownloads: true });
  const page = await context.newPage();
  page.crashes = [];
  page.hosts = new Set();
  page.on("pageerror", (error) => page.crashes.push(String(error)));
  page.on("request", (request) => page.hosts.add(new URL(request.url()).host));
  await change(page);
  await page.goto(address);
  await settled(page);
  return page;
}

/** Until the page has done what it was asked for. */
export async function settled(page) {
  await page.waitForFunction(() => /^(Ready|No model)/.test(document.getElementById("status").textContent), null, {
    timeout: 60_000,
  });
}

/** Gives files, paths or `file`s, to one of the page's inputs, and waits for the result. */
export async function give(page, id, files) {
  const read = (path) => file(basename(path), readFileSync(path), TYPES[extname(path)]);
  await page.setInputFiles(`#${id}`, files.map((one) => (typeof one === "string" ? read(one) : one)));
  await page.waitForTimeout(50); // the change event has come
  await settled(page);
}

/** The refusal that the page shows; null where it shows none. */
export const refusal = async (page) =>
  (await page.locator("#alert").isVisible()) ? await page.locator("#alert").textContent() : null;

/** The flow of the n-th network, saved by its button: {width, height, data}. */
export async function saved(page, n) {
  const [download] = await Promise.all([page.waitForEvent("download"), page.locator(".save").nth(n).click()]);
  const bytes = readFileSync(await download.path());
  const data = new Float32Array(bytes.buffer.slice(bytes.byteOffset + 12, bytes.byteOffset + bytes.length));
  return { name: download.suggestedFilename(), width: bytes.readInt32LE(4), height: bytes.readInt32LE(8), data };
}

/** A file of that name and contents, for `give`. */
export const file = (name, contents, mimeType = "application/octet-stream") => ({
  name, mimeType, buffer: Buffer.from(contents),
}); // prettier-ignore

const TYPES = { ".png": "image/png", ".webm": "video/webm", ".json": "application/json" };
