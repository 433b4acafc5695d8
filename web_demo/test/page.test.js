/** The page in Chromium: what it shows, against the desktop, and what it says when something is wrong. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { after, before, test } from "node:test";
import { flowToColour } from "../src/colour.js";
import { CAMERA, SOFTWARE_WEBGPU, file, give, launch, open, refusal, saved, settled, site } from "./browser.js";
import { distance, floats, manifestOf, pair, path, vectors } from "./desktop.js";

/** px, largest and mean. A resized frame differs in its last bits, which moves some values to the int8 next to theirs. */
const CLOSE = { fp32: [1e-3, 1e-4], "int8-ptq": [0.05, 5e-3] };
const texts = (page, selector) => page.locator(selector).allTextContents();
const shows = (page, selector, pattern, timeout = 20_000) =>
  page.waitForFunction(
    ([s, source]) => new RegExp(source).test(document.querySelector(s)?.textContent),
    [selector, pattern.source],
    { timeout },
  );

function close(flow, expected, model) {
  const far = distance(flow, expected);
  assert.ok(far.largest <= CLOSE[model][0] && far.mean <= CLOSE[model][1], `${model}: ${JSON.stringify(far)} px away`);
}

/** A site for one test, gone after it. */
async function siteFor(t, models, options) {
  const made = await site(models, options);
  t.after(async () => {
    await made.close();
    rmSync(made.folder, { recursive: true });
  });
  return made;
}

let browser;
let ladder; // the site with fp32 and int8-ptq
let used; // a page that goes on, from test to test

before(async () => {
  browser = await launch(...CAMERA, `--use-file-for-fake-video-capture=${path("camera.y4m")}`);
  ladder = await site([path("fp32"), path("int8-ptq")]);
  used = await open(browser, ladder.address);
});

after(async () => {
  await browser?.close();
  await ladder?.close();
  if (ladder) rmSync(ladder.folder, { recursive: true });
});

test("both networks are there, by their manifests, on threads, and nothing comes from elsewhere", async () => {
  const page = used;
  assert.equal(await refusal(page), null);
  const names = await texts(page, ".network .name");
  assert.deepEqual(names.map((name) => name.split(",").slice(0, 2).join(",")), ["fp32: small_pwc, 48x32", "int8-ptq: small_pwc, 48x32"]); // prettier-ignore
  for (const text of await texts(page, ".backend")) assert.match(text, /^WebAssembly, [2-9] threads/);
  assert.deepEqual([...page.hosts], [new URL(ladder.address).host]);
  assert.deepEqual(page.crashes, []);
});

for (const name of Object.keys(vectors.frames)) {
  test(`two pictures give the desktop's flow: ${name}`, async () => {
    const page = used;
    await give(page, "pictures", pair(name).reverse()); // their names say which is first
    assert.equal(await refusal(page), null);
    const [height, width] = vectors.frames[name];
    for (const [n, model] of ["fp32", "int8-ptq"].entries()) {
      const flow = await saved(page, n);
      assert.deepEqual([flow.name, flow.width, flow.height], [`${model}.flo`, width, height]);
      const expected = floats(`${model}-${name}.f32`);
      close(flow.data, expected, name === "equal" ? "fp32" : model);
      assert.ok(distance(expected, expected.map(() => 0)).mean > 0.1, "flow that is not zero");
    }
  });
}

test("colours on the canvas are those of the desktop's flow", async () => {
  const page = used;
  await give(page, "pictures", pair("equal"));
  const scale = Number(await page.locator("#scale").inputValue());
  const canvas = await page.evaluate(() => {
    const { width, height } = document.querySelector(".network canvas");
    return [...document.querySelector(".network canvas").getContext("2d").getImageData(0, 0, width, height).data];
  });
  const far = distance(canvas, flowToColour(floats("fp32-equal.f32"), scale));
  assert.ok(far.largest <= 2, `${far.largest} of 255 away`);
  await page.fill("#scale", "50");
  await page.locator("#scale").blur();
  const paler = await page.evaluate(() => [...document.querySelector(".network canvas").getContext("2d").getImageData(0, 0, 1, 1).data]); // prettier-ignore
  assert.notDeepEqual(paler, canvas.slice(0, 4), "another scale, other colours");
});

test("a model dropped on the page takes the place of those before; bytes go in as bytes", async () => {
  const page = await open(browser, ladder.address);
  await give(page, "pictures", pair("large"));
  await give(page, "model", [path("uint8", "model.tflite"), path("uint8", "model.json")]);
  assert.equal(await refusal(page), null);
  assert.equal(await page.locator(".network").count(), 1);
  const flow = await saved(page, 0); // of the same two pictures
  const far = distance(flow.data, floats("uint8-large.f32"));
  assert.ok(far.mean <= 1e-3 && far.largest <= 0.05, `${JSON.stringify(far)}: a rounding of some bytes`);
  await page.context().close();
});

test("the camera is shown with flow, frames a second, latency; and ends", async () => {
  const page = await open(browser, ladder.address);
  await page.click("#camera");
  await settled(page);
  await shows(page, ".latency", /last 20/);
  assert.equal(await refusal(page), null);
  assert.match(await page.locator("#source").textContent(), / 320x240, [1-9]\d{1,3} ms apart$/);
  assert.match(await page.locator("#rate").textContent(), /^[\d.]+ FPS$/);
  for (const text of await texts(page, ".latency")) assert.match(text, /^[\d.]+ ms median, [\d.]+ ms p90 \(last \d+\)$/);
  const still = () => page.evaluate(() => document.querySelector("#frames canvas").toDataURL());
  const shown = await still();
  await page.waitForFunction((before) => document.querySelector("#frames canvas").toDataURL() !== before, shown);
  await page.evaluate(() => (window.track = document.querySelector("video").srcObject.getTracks()[0]));
  await page.click("#stop");
  await page.waitForTimeout(300);
  const ended = await still();
  await page.waitForTimeout(500);
  assert.equal(await still(), ended, "nothing moves after Stop");
  assert.equal(await page.evaluate(() => document.querySelector("video").srcObject), null, "the camera is let go");
  assert.equal(await page.evaluate(() => window.track.readyState), "ended");
  await page.context().close();
});

test("memory stays as it is over 200 pairs", async (t) => {
  const small = await siteFor(t, [path("plain")]);
  const page = await open(browser, small.address);
  const memoryAfter = (n) =>
    page.evaluate(async (n) => {
      const { Engine } = await import("./src/engine.js");
      const { siteModel, fetchSchema, sitesModels } = await import("./src/models.js");
      if (!window.engine) {
        const { manifest, bytes } = await siteModel((await sitesModels())[0], await fetchSchema());
        window.engine = await Engine.open(manifest, bytes, { webgpu: false, threads: 1 });
      }
      const shape = Object.values(window.engine.shapes)[0];
      const image = new Float32Array(shape.reduce((a, b) => a * b)).fill(0.5);
      let heap;
      for (let i = 0; i < n; i++) ({ heap } = await window.engine.run({ image1: image, image2: image }));
      return heap;
    }, n);
  const [first, second] = [await memoryAfter(10), await memoryAfter(200)];
  assert.equal(second, first, `${((second - first) / 1e6).toFixed(1)} MB more`);
  await page.context().close();
});

test("a video file is played", async () => {
  const page = await open(browser, ladder.address);
  await give(page, "video", [path("video.webm")]);
  await shows(page, ".latency", /last [1-9]\d/);
  assert.equal(await refusal(page), null);
  assert.match(await page.locator("#source").textContent(), / 320x240, [1-9]\d{1,3} ms apart$/);
  await page.context().close();
});

test("without the headers of isolation there is one thread, and the same flow", async (t) => {
  const plain = await siteFor(t, [path("fp32")], { isolated: false });
  const page = await open(browser, plain.address);
  assert.match(await page.locator(".backend").textContent(), /^WebAssembly, 1 thread(;|$)/);
  assert.ok(await page.locator("#threads").isDisabled());
  await give(page, "pictures", pair("equal"));
  close((await saved(page, 0)).data, floats("fp32-equal.f32"), "fp32");
  await page.context().close();
});

test("the keyboard reaches everything, and a small screen holds it", async () => {
  const page = await open(browser, ladder.address, { viewport: { width: 360, height: 640 } });
  const reached = [];
  for (let i = 0; i < 14; i++) {
    await page.keyboard.press("Tab");
    reached.push(await page.evaluate(() => document.activeElement.id));
  }
  for (const id of ["camera", "pictures", "video", "model", "backend", "threads", "scale"]) assert.ok(reached.includes(id), `${id}: ${reached}`); // prettier-ignore
  await page.focus("#camera");
  await page.keyboard.press("Enter");
  await shows(page, ".latency", /last/);
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360, "nothing beyond the screen");
  await page.context().close();
});

/** Refused with that text; and the page goes on: two pictures work after it. */
async function goesOn(page, expected) {
  assert.match((await refusal(page)) ?? "no refusal", expected);
  await give(page, "pictures", pair("equal"));
  assert.equal(await refusal(page), null);
  close((await saved(page, 0)).data, floats("fp32-equal.f32"), "fp32");
  assert.deepEqual(page.crashes, []);
}

const changed = (model, change) => {
  const manifest = manifestOf(model);
  change(manifest);
  return file("model.json", JSON.stringify(manifest));
};
const network = file("model.tflite", readFileSync(path("fp32", "model.tflite")));
const text = (name, contents) => file(name, contents, "image/png");

for (const [what, input, files, expected] of [
  ["an image that is none", "pictures", [text("a.png", "no image"), pair("equal")[1]], /^a\.png cannot be decoded as an image/],
  ["half an image", "pictures", [text("b.png", readFileSync(pair("large")[0]).subarray(0, 30)), pair("large")[1]], /^b\.png cannot be decoded/],
  ["frames of different size", "pictures", [pair("large")[0], pair("small")[1]], /^large1\.png is 150x100 px and small2\.png 30x20 px: give two frames of one size$/],
  ["one picture", "pictures", pair("large").slice(0, 1), /^flow needs two pictures, got 1/],
  ["a video that is none", "video", [file("c.mp4", "no video", "video/mp4")], /^c\.mp4 cannot be played by this browser/],
  ["a manifest without its model", "model", [path("fp32", "model.json")], /a model is two files, model\.json and its \.tflite; got model\.json/],
  ["another version of the manifest", "model", [changed("fp32", (m) => (m.format = "tfflow-model-9")), network], /has format "tfflow-model-9", expected "tfflow-model-1"/],
  ["a manifest that breaks its schema", "model", [changed("fp32", (m) => delete m.stride), network], /lacks stride/],
  ["the model of another manifest", "model", [path("int8-ptq", "model.json"), network], /^model\.tflite is not the file that its model\.json describes/],
  ["sizes that the model does not have", "model", [changed("fp32", (m) => m.inputs.forEach((i) => (i.shape = [1, 64, 48, 3]))), network], /model\.tflite has .*, but its model\.json says image1 float32 \[1, 64, 48, 3\]/],
  ["a signature that the model does not have", "model", [changed("fp32", (m) => (m.signature = "other")), network], /has no signature other/],
]) {
  test(`refused, and the page goes on: ${what}`, async () => {
    await give(used, input, files);
    await goesOn(used, expected);
  });
}

test("refused, and the page goes on: a file that is no network, with its right checksum", async () => {
  const bytes = Buffer.alloc(2000, 7);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  await give(used, "model", [changed("fp32", (m) => (m.sha256 = sha256)), file("model.tflite", bytes)]);
  await goesOn(used, /^(the runtime does not take model\.tflite|LiteRT\.js cannot start)/);
});

for (const [what, pattern, answer, expected] of [
  ["the model is missing", "**/model.tflite", { status: 404, body: "" }, /model\.tflite is missing \(404\)/],
  ["the manifest is missing", "**/model.json", { status: 404, body: "" }, /model\.json is missing \(404\)/],
  ["the model is damaged", "**/model.tflite", { body: "damaged" }, /is not the file that its model\.json describes/],
]) {
  test(`of the site, ${what}: a message, and a model can be dropped`, async () => {
    const page = await open(browser, ladder.address, { change: (page) => page.route(pattern, (route) => route.fulfill(answer)) }); // prettier-ignore
    assert.match((await refusal(page)) ?? "no refusal", expected);
    assert.match(await page.locator("#status").textContent(), /^No model/);
    assert.ok(await page.locator("#camera").isDisabled());
    await give(page, "model", [path("fp32", "model.json"), path("fp32", "model.tflite")]);
    await goesOn(page, /no refusal/);
    await page.context().close();
  });
}

for (const [what, args, expected] of [
  ["no camera", [], /^No camera was found: connect one, or use a video or two pictures$/],
  ["permission refused", CAMERA.slice(0, 1).concat("--deny-permission-prompts"), /^The camera was refused: allow it/],
]) {
  test(`camera mode, ${what}: a message, and the page goes on`, async (t) => {
    const other = await launch(...args);
    t.after(() => other.close());
    const page = await open(other, ladder.address);
    await page.click("#camera");
    await page.waitForSelector("#alert:visible");
    await settled(page);
    await goesOn(page, expected);
  });
}

test("WebGPU takes what it can, agrees with the desktop, and what it cannot goes to WebAssembly; so does what it loses", async (t) => {
  const gpu = await launch(...SOFTWARE_WEBGPU);
  t.after(() => gpu.close());
  const both = await siteFor(t, [path("plain"), path("fp32")]);
  let page = await open(gpu, both.address);
  const [plain, pwc] = await texts(page, ".backend");
  if (/WebGPU is not here/.test(plain)) return t.skip("this Chromium has no WebGPU in software");
  assert.match(plain, /^WebGPU; agrees with WebAssembly to 0\.0\d+ px$/);
  assert.match(pwc, /^(WebGPU; agrees|WebAssembly, \d+ threads?; WebGPU does not take)/);
  const right = async () => {
    await give(page, "pictures", pair("equal"));
    for (const [n, model] of ["plain", "fp32"].entries()) {
      const far = distance((await saved(page, n)).data, floats(`${model}-equal.f32`));
      assert.ok(far.mean <= 0.01, `${model}: ${JSON.stringify(far)}`);
    }
  };
  await right();
  await (await gpu.newBrowserCDPSession()).send("Browser.crashGpuProcess");
  await shows(page, "#alert", /^WebGPU was lost .* run on WebAssembly now/);
  for (const text of await texts(page, ".backend")) assert.match(text, /^WebAssembly/);
  await right();
  await page.context().close();

  const strict = (page) =>
    page.route("**/src/worker.js", async (route) => {
      const response = await route.fetch();
      const source = (await response.text()).replace("const AGREE = 0.1", "const AGREE = -1");
      await route.fulfill({ response, body: source });
    });
  page = await open(gpu, both.address, { change: strict });
  const [disagreeing] = await texts(page, ".backend");
  assert.match(disagreeing, /^WebAssembly, \d+ threads?; WebGPU gives another flow/);
  await right();
});
