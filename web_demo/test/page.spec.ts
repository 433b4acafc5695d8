/** The page in Chromium: what it shows, against the desktop, and what it says when something is wrong. */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { type Browser, type Page, expect, test } from "@playwright/test";
import { SOFTWARE_WEBGPU, camera, launch } from "../chromium.ts";
import { type Served, serve } from "../python.ts";
import { flowToColour } from "../src/colour.ts";
import type { Manifest } from "../src/types.ts";
import { FRAMES, distance, floats, manifestOf, pair, path } from "./desktop.ts";
import { type Given, file, give, open, pixels, refusal, saved, seen, settled } from "./page.ts";

/** px, largest and mean. A resized frame differs in its last bits, which moves some values to the int8 next to theirs. */
const CLOSE: Record<string, [number, number]> = { fp32: [1e-3, 1e-4], "int8-ptq": [0.05, 5e-3], uint8: [0.05, 1e-3] };

let browser: Browser;
let site: Served; // with fp32 and int8-ptq
let page: Page; // which goes on, from test to test

test.beforeAll(async () => {
  [browser, site] = await Promise.all([launch(...camera(path("camera.y4m"))), serve([path("fp32"), path("int8-ptq")])]);
  page = await open(browser, site.address);
});

test.afterAll(async () => {
  await browser?.close();
  await site?.close();
});

function close(flow: ArrayLike<number>, name: string, model: string, limits = CLOSE[model]) {
  const expected = floats(`${model}-${name}.f32`);
  const far = distance(flow, expected);
  expect(far.largest, `${model}, px`).toBeLessThanOrEqual(limits[0]);
  expect(far.mean, `${model}, px`).toBeLessThanOrEqual(limits[1]);
  expect(distance(expected, new Float32Array(expected.length)).mean, "flow that is not zero").toBeGreaterThan(0.1);
}

test("both networks are there, by their manifests, on threads, and nothing comes from elsewhere", async () => {
  expect(await refusal(page)).toBe("no refusal");
  await expect(page.locator(".network .name")).toHaveText([/^fp32: small_pwc, 48x32/, /^int8-ptq: small_pwc, 48x32/]);
  for (const text of await page.locator(".backend").allTextContents()) {
    expect(text).toMatch(/^WebAssembly, [2-9] threads/);
  }
  expect([...seen(page).hosts]).toEqual([new URL(site.address).host]);
  expect(seen(page).crashes).toEqual([]);
});

for (const [name, [height, width]] of Object.entries(FRAMES)) {
  test(`two pictures give the desktop's flow: ${name}`, async () => {
    await give(page, "pictures", pair(name).reverse()); // their names say which is first
    expect(await refusal(page)).toBe("no refusal");
    for (const [n, model] of ["fp32", "int8-ptq"].entries()) {
      const flow = await saved(page, n);
      expect([flow.name, flow.width, flow.height]).toEqual([`${model}.flo`, width, height]);
      close(flow.data, name, model, CLOSE[name === "equal" ? "fp32" : model]);
    }
  });
}

test("colours on the canvas are those of the desktop's flow, at the scale of the legend", async () => {
  await give(page, "pictures", pair("equal"));
  const scale = Number(await page.inputValue("#scale"));
  const shown = await pixels(page, ".network canvas");
  expect(distance(shown, flowToColour(floats("fp32-equal.f32"), scale)).largest).toBeLessThanOrEqual(2);
  await page.fill("#scale", "50");
  await page.locator("#scale").blur();
  const paler = await pixels(page, ".network canvas");
  expect(distance(paler, flowToColour(floats("fp32-equal.f32"), 50)).largest).toBeLessThanOrEqual(2);
  await page.click("#fit");
  expect(await pixels(page, ".network canvas")).toEqual(shown);
});

test("confidence fades what the flow back contradicts, and leaves its arrows out", async () => {
  await give(page, "pictures", pair("equal"));
  const plain = await pixels(page, ".network canvas");
  const ink = () => page.evaluate(() => document.querySelector<HTMLCanvasElement>("#frames canvas")!.toDataURL());
  const all = await ink();
  await page.check("#check");
  await settled(page);
  await expect(page.locator(".flow").first()).toHaveText(/^mean flow [\d.]+ px, \d+ % not to be trusted$/);
  const faded = await pixels(page, ".network canvas");
  const alpha = faded.filter((_, i) => i % 4 === 3);
  expect(plain.filter((x, i) => i % 4 === 3 && x < 255)).toEqual([]);
  // Of random weights the flow back is the same as the flow there, not its opposite: nearly nothing is sure.
  const [below, said] = [alpha.filter((x) => x < 127.5).length / alpha.length, await page.locator(".flow").first().textContent()];
  expect(100 * below).toBeCloseTo(Number(/(\d+) %/.exec(said!)?.[1]), -1);
  expect(new Set(alpha).size).toBeGreaterThan(3);
  expect(await ink()).not.toBe(all);
  await page.uncheck("#check");
  await settled(page);
  expect(await pixels(page, ".network canvas")).toEqual(plain);
});

test("two pictures that are equal in every bit do not move, whatever a network gives", async () => {
  const [first, second] = pair("equal");
  await give(page, "pictures", [first, second]);
  await expect(page.locator(".flow").first()).not.toHaveText("mean flow 0.00 px");
  const same = (name: string) => file(name, readFileSync(first), "image/png");
  await page.check("#check");
  await give(page, "pictures", [same("1.png"), same("2.png")]);
  for (const text of await page.locator(".flow").allTextContents()) expect(text).toBe("mean flow 0.00 px, 0 % not to be trusted");
  expect((await saved(page, 0)).data.every((x) => x === 0)).toBe(true);
  await page.uncheck("#check");
  await settled(page);
});

test("arrows are drawn where there is flow", async () => {
  await give(page, "pictures", pair("large"));
  const yellow = await page.evaluate(() => {
    const canvas = document.querySelector<HTMLCanvasElement>("#frames canvas")!;
    const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
    return data.filter((red, i) => i % 4 === 0 && red > 200 && data[i + 1] > 190 && data[i + 2] < 130).length;
  });
  expect(yellow, "px of arrows").toBeGreaterThan(500);
});

/** Refused with that text; and the page goes on: two pictures work after it. */
async function goesOn(on: Page, expected: RegExp) {
  expect(await refusal(on)).toMatch(expected);
  await give(on, "pictures", pair("equal"));
  expect(await refusal(on)).toBe("no refusal");
  await expect(on.locator(".flow").first()).toHaveText(/^mean flow [\d.]+ px$/);
  expect(seen(on).crashes).toEqual([]);
}

const changed = (model: string, change: (manifest: Manifest & Record<string, unknown>) => void): Given => {
  const manifest = manifestOf(model);
  change(manifest);
  return file("model.json", JSON.stringify(manifest), "application/json");
};
const network = () => file("model.tflite", readFileSync(path("fp32", "model.tflite")));
const noModel = Buffer.alloc(2000, 7);
const half = () => readFileSync(path("large1.png")).subarray(0, 30);
const otherSize = (m: Manifest) => m.inputs.forEach((input) => (input.shape = [1, 64, 48, 3]));

const REFUSED: [string, string, () => Given[], RegExp][] = [
  ["an image that is none", "pictures", () => [file("a.png", "no image", "image/png"), pair("equal")[1]], /^a\.png cannot be decoded as an image/],
  ["half an image", "pictures", () => [file("b.png", half(), "image/png"), pair("large")[1]], /^b\.png cannot be decoded/],
  ["frames of different size", "pictures", () => [pair("large")[0], pair("small")[1]], /^large1\.png is 150x100 px and small2\.png 30x20 px: give two frames of one size$/],
  ["one picture", "pictures", () => pair("large").slice(0, 1), /^flow needs two pictures, got 1/],
  ["a video that is none", "video", () => [file("c.mp4", "no video", "video/mp4")], /^c\.mp4 cannot be played by this browser/],
  ["a manifest without its model", "model", () => [path("fp32", "model.json")], /a model is two files, model\.json and its \.tflite; got model\.json/],
  ["another version of the manifest", "model", () => [changed("fp32", (m) => (m.format = "tfflow-model-9")), network()], /has format "tfflow-model-9", expected "tfflow-model-1"/],
  ["a manifest that breaks its schema", "model", () => [changed("fp32", (m) => delete m.stride), network()], /lacks stride/],
  ["the model of another manifest", "model", () => [path("int8-ptq", "model.json"), network()], /^model\.tflite is not the file that its model\.json describes/],
  ["sizes that the model does not have", "model", () => [changed("fp32", otherSize), network()], /model\.tflite has .*, but its model\.json says image1 float32 \[1, 64, 48, 3\]/],
  ["a signature that the model does not have", "model", () => [changed("fp32", (m) => (m.signature = "other")), network()], /has no signature other/],
  ["a file that is no network, with its right checksum", "model", () => [changed("fp32", (m) => (m.sha256 = createHash("sha256").update(noModel).digest("hex"))), file("model.tflite", noModel)], /^(the runtime does not take model\.tflite|LiteRT\.js cannot start)/],
]; // prettier-ignore

for (const [what, input, files, expected] of REFUSED) {
  test(`refused, and the page goes on: ${what}`, async () => {
    await give(page, input, files());
    await goesOn(page, expected);
  });
}

test("after all refusals the flow is the desktop's", async () => {
  close((await saved(page, 0)).data, "equal", "fp32");
});

test("camera mode shows flow of both, frames a second, latency; and ends", async () => {
  await page.click("#camera");
  await settled(page);
  await expect(page.locator("#rate")).toHaveText(/^[\d.]+ FPS, [1-9]\d pairs$/);
  expect(await refusal(page)).toBe("no refusal");
  await expect(page.locator("#source")).toHaveText(/ 320x240, [1-9]\d{0,3} ms apart$/);
  await expect(page.locator(".latency")).toHaveText(Array(2).fill(/^[\d.]+ ms median, [\d.]+ ms p90 \(last \d+\)$/));
  const still = () => page.evaluate(() => document.querySelector<HTMLCanvasElement>("#frames canvas")!.toDataURL());
  const shown = await still();
  await expect.poll(still).not.toBe(shown);
  const track = await page.evaluateHandle(
    () => (document.querySelector("video")!.srcObject as MediaStream).getTracks()[0],
  );
  await page.click("#stop");
  await expect(page.locator("#stop")).toBeDisabled();
  await page.waitForTimeout(200); // the pair that was at work
  const ended = await still();
  await page.waitForTimeout(300);
  expect(await still(), "nothing moves after Stop").toBe(ended);
  expect(await page.evaluate(() => document.querySelector("video")!.srcObject), "the camera is let go").toBeNull();
  expect(await track.evaluate(({ readyState }) => readyState)).toBe("ended");
});

test("a video file is played", async () => {
  await give(page, "video", [path("video.webm")]);
  await expect(page.locator("#rate")).toHaveText(/ FPS, ([5-9]|\d\d+) pairs$/);
  expect(await refusal(page)).toBe("no refusal");
  await expect(page.locator("#source")).toHaveText(/ 320x240, [1-9]\d{0,3} ms apart$/);
  await page.click("#stop");
});

test("camera refused: a message, and the page goes on", async () => {
  await page.context().clearPermissions();
  await page.click("#camera");
  await expect(page.locator("#alert")).toBeVisible();
  await settled(page);
  await goesOn(page, /^The camera was refused: allow it/);
  await page.context().grantPermissions(["camera"]);
});

test("a model dropped on the page takes the place of those before; bytes go in as bytes", async () => {
  await give(page, "pictures", pair("large"));
  const files = ["model.json", "model.tflite"].map((name) => [name, readFileSync(path("uint8", name)).toString("base64")]);
  const transfer = await page.evaluateHandle((files) => {
    const dropped = new DataTransfer();
    for (const [name, text] of files) {
      dropped.items.add(new File([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], name));
    }
    return dropped;
  }, files);
  await page.dispatchEvent("body", "drop", { dataTransfer: transfer });
  await settled(page);
  expect(await refusal(page)).toBe("no refusal");
  await expect(page.locator(".network")).toHaveCount(1);
  close((await saved(page, 0)).data, "large", "uint8"); // of the same two pictures
});

test("memory stays as it is over 200 pairs of the camera", async () => {
  await give(page, "model", [path("plain", "model.json"), path("plain", "model.tflite")]);
  const session = await page.context().newCDPSession(page);
  await page.click("#camera");
  const after = async (pairs: number) => {
    await page.waitForFunction((n) => Number(/(\d+) pairs/.exec(document.getElementById("rate")!.textContent)?.[1]) >= n, pairs);
    const memory = await page.textContent(".memory");
    await session.send("HeapProfiler.collectGarbage");
    const heap = await session.send("Runtime.getHeapUsage");
    return { memory, heap: heap.usedSize + (heap.backingStorageSize ?? 0) + (heap.embedderHeapUsedSize ?? 0) };
  };
  const [first, last] = [await after(20), await after(220)];
  await page.click("#stop");
  expect(last.memory).toBe(first.memory);
  expect(last.heap - first.heap, "of 123 MB that 200 pairs have").toBeLessThan(6e6);
});

test("of the site, what is missing or damaged is said, and a model can be dropped", async () => {
  for (const [pattern, answer, expected] of [
    ["**/model.tflite", { status: 404, body: "" }, /model\.tflite is missing \(404\)/],
    ["**/model.json", { status: 404, body: "" }, /model\.json is missing \(404\)/],
    ["**/model.tflite", { body: "damaged" }, /is not the file that its model\.json describes/],
  ] as const) {
    const other = await open(browser, site.address, {}, (page) => page.route(pattern, (route) => route.fulfill(answer)));
    expect(await refusal(other)).toMatch(expected);
    await expect(other.locator("#status")).toHaveText(/^No model/);
    await expect(other.locator("#camera")).toBeDisabled();
    if (answer.body) {
      await give(other, "model", [path("fp32", "model.json"), path("fp32", "model.tflite")]);
      await goesOn(other, /no refusal/);
    }
    await other.context().close();
  }
});

test("without the headers of isolation there is one thread, and the same flow", async () => {
  const other = await open(browser, site.address, {}, (page) =>
    page.route(site.address, async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, headers: { "content-type": "text/html" } });
    }),
  );
  await expect(other.locator(".backend").first()).toHaveText(/^WebAssembly, 1 thread(;|$)/);
  await expect(other.locator("#threads")).toBeDisabled();
  await give(other, "pictures", pair("equal"));
  close((await saved(other, 0)).data, "equal", "fp32");
  await other.context().close();
});

test("the keyboard reaches everything, a small screen holds it, and once loaded the page needs no server", async () => {
  const own = await serve([path("fp32")]);
  const options = { viewport: { width: 360, height: 640 }, serviceWorkers: "allow" } as const;
  const small = await open(browser, own.address, options);
  await expect(small.locator("#status")).toHaveText(/without a network connection, too/);
  await own.close();
  await small.reload();
  await settled(small);
  expect(await refusal(small)).toBe("no refusal");
  await expect(small.locator(".backend")).toHaveText(/^WebAssembly, [2-9] threads/);
  await give(small, "pictures", pair("equal"));
  close((await saved(small, 0)).data, "equal", "fp32");

  await small.locator("h1").click();
  const reached: string[] = [];
  for (let i = 0; i < 14; i++) {
    await small.keyboard.press("Tab");
    reached.push(await small.evaluate(() => document.activeElement?.id ?? ""));
  }
  expect(reached).toEqual(expect.arrayContaining(["camera", "pictures", "video", "model", "backend", "threads", "scale"]));
  await small.focus("#camera");
  await small.keyboard.press("Enter");
  await expect(small.locator("#rate")).toHaveText(/FPS/);
  expect(await small.evaluate(() => document.documentElement.scrollWidth), "nothing beyond it").toBeLessThanOrEqual(360);
  await small.context().close();
});

test("the page of latencies measures each network, at one thread and at several", async () => {
  const other = await browser.newPage({ viewport: { width: 360, height: 640 } });
  await other.goto(`${site.address}benchmark.html?runs=3`);
  await expect(other.locator("#status")).toHaveText(/^Done\. .* of 3 warm runs/);
  const rows = other.locator("tr");
  await expect(rows).toHaveCount(3);
  for (const n of [1, 2]) {
    const [name, ...cells] = await rows.nth(n).locator("td").allTextContents();
    expect(name).toBe(`small_pwc 32x48, ${["fp32", "int8-ptq"][n - 1]}`);
    expect(cells).toEqual(Array(2).fill(expect.stringMatching(/^\d+\.\d \(\d+\.\d\)$/)));
  }
  expect(await other.evaluate(() => document.documentElement.scrollWidth), "nothing beyond it").toBeLessThanOrEqual(360);
  await other.close();
});

test.describe("a browser with WebGPU and no camera", () => {
  let gpu: Browser;
  test.beforeAll(async () => {
    gpu = await launch(...SOFTWARE_WEBGPU);
  });
  test.afterAll(() => gpu?.close());

  const plain = [path("plain", "model.json"), path("plain", "model.tflite")];
  const right = async (on: Page) => {
    await give(on, "pictures", pair("equal"));
    close((await saved(on, 0)).data, "equal", "plain", [0.1, 0.01]);
  };

  test("says that there is no camera, and what WebGPU does not take goes to WebAssembly; so does what it loses", async () => {
    const on = await open(gpu, site.address);
    await on.click("#camera");
    await expect(on.locator("#alert")).toBeVisible();
    await settled(on);
    await goesOn(on, /^No camera was found: connect one, or use a video or two pictures$/);

    const [first] = await on.locator(".backend").allTextContents();
    test.skip(/WebGPU is not here/.test(first), "this Chromium has no WebGPU in software");
    expect(first).toMatch(/^(WebGPU; agrees|WebAssembly, \d+ threads?; WebGPU does not take)/);
    close((await saved(on, 0)).data, "equal", "fp32", [0.1, 0.01]);

    await give(on, "model", plain);
    await expect(on.locator(".backend")).toHaveText(/^WebGPU; agrees with WebAssembly to 0\.0\d+ px$/);
    await right(on);
    await (await gpu.newBrowserCDPSession()).send("Browser.crashGpuProcess");
    await expect(on.locator("#alert")).toHaveText(/^WebGPU was lost .* run on WebAssembly now/);
    await expect(on.locator(".backend")).toHaveText(/^WebAssembly/);
    await right(on);
    await on.context().close();
  });

  test("a flow of WebGPU that is not WebAssembly's is not taken", async () => {
    let strict = 0;
    const on = await open(gpu, site.address, {}, (page) =>
      page.route("**/assets/worker-*.js", async (route) => {
        const source = await (await route.fetch()).text();
        const body = source.replace(/AGREE = 0?\.1\b/, () => `AGREE = -${++strict}`);
        await route.fulfill({ body, contentType: "text/javascript", headers: { "Cross-Origin-Embedder-Policy": "require-corp" } });
      }),
    );
    await give(on, "model", plain);
    expect(strict).toBeGreaterThan(0);
    const text = await on.textContent(".backend");
    test.skip(/WebGPU is not here/.test(text ?? ""), "this Chromium has no WebGPU in software");
    expect(text).toMatch(/^WebAssembly, \d+ threads?; WebGPU gives another flow/);
    await right(on);
  });
});
