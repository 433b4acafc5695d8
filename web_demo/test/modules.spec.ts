/** The page's arithmetic against the desktop's, without a browser. */

import { readFileSync } from "node:fs";
import { expect, test } from "@playwright/test";
import { disc, flowToColour, percentile, robustScale } from "../src/colour.ts";
import { confidence, fade } from "../src/confidence.ts";
import { broken, checkModel, readManifest } from "../src/manifest.ts";
import { floFile, resized, toFramePixels, toInput } from "../src/resize.ts";
import { atRest } from "../src/still.ts";
import { Latency, Rate } from "../src/timing.ts";
import type { Size } from "../src/types.ts";
import { distance, manifestOf, path, vectors } from "./desktop.ts";

const { tolerance } = vectors;

/** RGB bytes as a canvas gives them. */
function imageData(rgb: ArrayLike<number>, { width, height }: Size): ImageData {
  const data = new Uint8ClampedArray((rgb.length / 3) * 4).fill(255);
  for (let i = 0; i < rgb.length; i++) data[Math.floor(i / 3) * 4 + (i % 3)] = rgb[i];
  return { data, width, height } as ImageData;
}

const withoutAlpha = (rgba: Uint8ClampedArray) => [...rgba].filter((_, i) => i % 4 !== 3);

test("colours are the desktop's, of every direction, length, and of no flow", () => {
  const { flow, scale, rgb } = vectors.colour;
  const shown = flowToColour(flow, scale);
  expect(distance(withoutAlpha(shown), rgb).largest).toBeLessThanOrEqual(tolerance.colour);
  expect(shown.every((x, i) => i % 4 !== 3 || x === 255)).toBe(true);
  expect(withoutAlpha(flowToColour([NaN, 1, 1, Infinity], 5))).toEqual([0, 0, 0, 0, 0, 0]);
});

test("the legend's disc is the desktop's", () => {
  const { size, rgb } = vectors.disc;
  const ours = disc(size);
  const middle = (size - 1) / 2; // where the desktop draws the line to the rim
  const kept = [...Array(size * size).keys()].filter(
    (i) => Math.abs(Math.floor(i / size) - middle) > 1 && ours[4 * i + 3],
  );
  expect(kept.length).toBeGreaterThan((size * size) / 2);
  const of = (pixels: ArrayLike<number>, stride: number) => kept.flatMap((i) => [0, 1, 2].map((c) => pixels[stride * i + c])); // prettier-ignore
  expect(distance(of(ours, 4), of(rgb, 3)).largest).toBeLessThanOrEqual(tolerance.disc);
});

test("confidence is the desktop's, in px of the frame on any grid, and colours fade by it", () => {
  const { height, width, flow12, flow21, values } = vectors.confidence;
  const flow = { data: Float32Array.from(flow12), height, width };
  const ours = confidence(flow, Float32Array.from(flow21), flow);
  expect(distance(ours, values).largest).toBeLessThanOrEqual(tolerance.confidence);
  // On a grid of every fourth pixel, flow four times as long leads to the same places: the residual is four times as large.
  const coarse = { ...flow, data: flow.data.map((x) => 4 * x) };
  const four = confidence(coarse, Float32Array.from(flow21, (x) => 4 * x), { height: 4 * height, width: 4 * width });
  expect(distance(four.map((x) => 1 / x - 1), values.map((x) => 4 * (1 / x - 1))).largest).toBeLessThanOrEqual(1e-3); // prettier-ignore
  const unknown = { data: Float32Array.of(NaN, 1), width: 1, height: 1 };
  expect([...confidence(unknown, Float32Array.of(0, 0), unknown)]).toEqual([0]);
  expect([...fade(Uint8ClampedArray.of(9, 8, 7, 255, 6, 5, 4, 255), [0.2, 1])]).toEqual([9, 8, 7, 51, 6, 5, 4, 255]);
});

test("frames are at rest where every bit is equal", () => {
  const size = { width: 2, height: 1 };
  const frame = imageData([1, 2, 3, 4, 5, 6], size);
  expect(atRest(frame, imageData([1, 2, 3, 4, 5, 6], size))).toBe(true);
  expect(atRest(frame, imageData([1, 2, 3, 4, 5, 7], size))).toBe(false);
  expect(atRest(frame, imageData([1, 2, 3], { width: 1, height: 1 }))).toBe(false);
});

test("the fitted scale is the 99th percentile of the lengths, and a still scene is not shown as motion", () => {
  const flow = Array.from({ length: 101 }, (_, i) => [0.6 * i, -0.8 * i]).flat();
  expect(robustScale([...flow, NaN, 1, 2e9, 0])).toBeCloseTo(99, 9);
  expect(robustScale([0.1, 0])).toBe(1);
});

test("latency is the desktop's median and 90th percentile of the last runs", () => {
  const { window, millis, median, p90 } = vectors.latency;
  const latency = new Latency(window);
  latency.add(1000);
  expect(String(latency)).toBe("1000.0 ms (one run)");
  for (const time of millis) latency.add(time);
  expect(Math.abs(latency.percentile(50) - median)).toBeLessThanOrEqual(tolerance.latency);
  expect(Math.abs(latency.percentile(90) - p90)).toBeLessThanOrEqual(tolerance.latency);
  expect(String(latency)).toBe(`${median.toFixed(1)} ms median, ${p90.toFixed(1)} ms p90 (last ${window})`);
  expect(percentile([7], 90)).toBe(7);
});

test("the rate counts pairs over the last two seconds", () => {
  const rate = new Rate();
  expect(rate.add(0)).toBeNull();
  expect(rate.add(500)).toBe(2);
  for (let now = 5000; now < 8000; now += 100) rate.add(now);
  expect(rate.add(8000)).toBe(10);
});

for (const [n, { width, height, image, to, range, type, placed, values }] of vectors.resize.entries()) {
  test(`a frame becomes the input that the desktop makes of it: ${width}x${height} to ${to[1]}x${to[0]}, ${type}, ${n}`, () => {
    const [top, left, rows, columns] = placed;
    const input = { name: "image1", shape: [1, rows, columns, 3], type, range } as const;
    const ours = toInput(imageData(image, { width, height }), { ...input, shape: [...input.shape] });
    const theirs = [];
    for (let y = top; y < top + rows; y++) theirs.push(...values.slice(3 * (y * to[1] + left), 3 * (y * to[1] + left + columns))); // prettier-ignore
    const most = type === "uint8" ? tolerance.resize_uint8 : tolerance.resize * (range[1] - range[0]);
    expect(distance(ours, theirs).largest).toBeLessThanOrEqual(most);
    expect(ours).toBeInstanceOf(type === "uint8" ? Uint8Array : Float32Array);
  });
}

test("flow grows with the frame, u with its width and v with its height", () => {
  const flow = toFramePixels(new Float32Array([1, 2, 3, 4]), { width: 10, height: 10 }, { width: 20, height: 50 });
  expect([...flow]).toEqual([2, 10, 6, 20]);
  const taller = resized([1, 2, 3, 4], { width: 2, height: 1 }, { width: 2, height: 2 }, 2);
  expect([...taller]).toEqual([1, 2, 3, 4, 1, 2, 3, 4]);
});

test("a .flo file holds mark, width, height, flow", async () => {
  const data = new Float32Array([1.5, -2, 3, 4]);
  const view = new DataView(await floFile({ data, width: 2, height: 1 }).arrayBuffer());
  expect(String.fromCharCode(...new Uint8Array(view.buffer, 0, 4))).toBe("PIEH");
  expect([view.getInt32(4, true), view.getInt32(8, true)]).toEqual([2, 1]);
  expect([12, 16, 20, 24].map((i) => view.getFloat32(i, true))).toEqual([...data]);
});

/** `value` with what lies at a path left out, or replaced where the change has a value. */
function changed(value: Record<string, unknown>, change: { path: (string | number)[]; value?: unknown }) {
  const copy = structuredClone(value);
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  const parent: any = change.path.slice(0, -1).reduce((inner: any, key) => inner[key], copy);
  const key = change.path.at(-1)!;
  if ("value" in change) parent[key] = change.value;
  else if (Array.isArray(parent)) parent.splice(key as number, 1);
  else delete parent[key];
  return copy;
}

test("manifests of the export are taken, and what its schema refuses is refused", () => {
  const { good, bad } = vectors.manifests;
  for (const value of [...good, manifestOf("int8-ptq")]) {
    expect(readManifest(JSON.stringify(value), "model.json")).toEqual(value);
  }
  expect(bad.length).toBeGreaterThan(100);
  for (const change of bad) {
    const text = JSON.stringify(changed(good[0], change));
    expect(() => readManifest(text, "model.json"), JSON.stringify(change)).toThrow(/^model\.json/);
  }
});

test("a refusal of a manifest names the place", () => {
  for (const [change, expected] of [
    [{ path: ["format"], value: "tfflow-model-2" }, /has format "tfflow-model-2", expected "tfflow-model-1"/],
    [{ path: ["resize"] }, /the manifest: lacks resize/],
    [{ path: ["inputs", 1, "shape"], value: [-1, 32, 48, 3] }, /inputs\/1\/shape\/0: must be at least 1/],
    [{ path: ["inputs", 0, "type"], value: "int8" }, /inputs\/0\/type: must be one of float32, uint8/],
    [{ path: ["inputs", 1] }, /inputs: must have at least 2 items/],
    [{ path: ["file"], value: "../other.tflite" }, /file: must match/],
    [{ path: ["bytes"], value: "many" }, /bytes: must be of type integer/],
    [{ path: ["outputs", 0, "components"], value: ["v", "u"] }, /outputs\/0\/components: must be \["u","v"\]/],
    [{ path: ["colour"], value: "blue" }, /has colour, which this version does not know/],
  ] as const) {
    const text = JSON.stringify(changed(manifestOf("fp32"), { ...change, path: [...change.path] }));
    expect(() => readManifest(text, "model.json")).toThrow(expected);
  }
  expect(() => readManifest("{", "model.json")).toThrow(/model.json is no manifest/);
  expect(() => readManifest("null", "model.json")).toThrow(/has format undefined/);
});

test("a keyword of the schema that the page does not know is not passed over", () => {
  expect(() => broken(5, { maximum: 3 })).toThrow(/keyword maximum/);
});

test("a model file is the one that the manifest describes, or refused", async () => {
  const bytes = new Uint8Array(readFileSync(path("fp32", "model.tflite")));
  await checkModel(bytes, manifestOf("fp32"));
  bytes[1000] ^= 1;
  await expect(checkModel(bytes, manifestOf("fp32"))).rejects.toThrow(/not the file that its model.json describes/);
});
