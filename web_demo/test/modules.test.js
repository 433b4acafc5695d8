/** The page's arithmetic against the desktop's, without a browser. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { flowToColour, percentile, robustScale } from "../src/colour.js";
import { broken, checkModel, readManifest } from "../src/manifest.js";
import { floFile, resized, toFramePixels, toInput } from "../src/resize.js";
import { Latency, Rate } from "../src/timing.js";
import { distance, floats, manifestOf, path, pixels, vectors } from "./desktop.js";

const schema = JSON.parse(readFileSync(new URL("../../tfflow/export/manifest.schema.json", import.meta.url)));

test("colours are the desktop's, of every direction, length, and of no flow", () => {
  const { flow, scale, rgb } = vectors.colour;
  const shown = flowToColour(Float32Array.from(flow.flat(), (x) => x ?? NaN), scale);
  const colours = shown.filter((_, i) => i % 4 !== 3);
  assert.ok(distance(colours, rgb).largest <= 1, "a step of rounding apart at most");
  assert.ok(colours.filter((x, i) => x !== rgb[i]).length <= rgb.length / 100);
  assert.ok(shown.every((x, i) => i % 4 !== 3 || x === 255));
});

test("the fitted scale is the desktop's", () => {
  const flow = Float32Array.from(vectors.colour.flow.flat(), (x) => x ?? NaN);
  assert.ok(Math.abs(robustScale(flow) - vectors.colour.robust) < 1e-4 * vectors.colour.robust);
  assert.equal(robustScale(new Float32Array([0.1, 0])), 1, "a still scene is not shown as motion");
});

test("percentiles lie between the values", () => {
  assert.equal(percentile([4, 1, 3, 2], 50), 2.5);
  assert.ok(Math.abs(percentile([10, 20, 30], 90) - 28) < 1e-12);
  assert.equal(percentile([7], 90), 7);
});

test("latency is the median and the 90th percentile of the last 50 runs", () => {
  const latency = new Latency();
  latency.add(1000);
  assert.equal(String(latency), "1000.0 ms (one run)");
  for (let i = 1; i <= 50; i++) latency.add(i);
  assert.equal(String(latency), "25.5 ms median, 45.1 ms p90 (last 50)");
});

test("the rate counts pairs over the last two seconds", () => {
  const rate = new Rate();
  assert.equal(rate.add(0), null);
  assert.equal(rate.add(500), 2);
  for (let now = 5000; now < 8000; now += 100) rate.add(now);
  assert.equal(rate.add(8000), 10);
});

for (const name of Object.keys(vectors.frames)) {
  test(`a frame becomes the input that the desktop makes of it: ${name}`, () => {
    const input = manifestOf("fp32").inputs.find((i) => i.name === "image1");
    assert.ok(distance(toInput(pixels(name), input), floats(`input-${name}.f32`)).largest < 2e-6);
    const bytes = toInput(pixels(name), manifestOf("uint8").inputs[0]);
    assert.ok(bytes instanceof Uint8Array);
    const rounded = floats(`input-${name}.f32`).map((x) => Math.round(x * 255));
    assert.ok(distance(bytes, rounded).largest <= 1);
    assert.ok(distance(bytes, rounded).mean < 0.01);
  });
}

test("the range of an input is the manifest's", () => {
  const frame = { data: new Uint8ClampedArray([255, 0, 51, 255]), width: 1, height: 1 };
  const values = toInput(frame, { shape: [1, 1, 1, 3], range: [-1, 3], type: "float32" });
  assert.ok(distance(values, [3, -1, -0.2]).largest < 1e-6);
});

test("flow grows with the frame, u with its width and v with its height", () => {
  const flow = toFramePixels(new Float32Array([1, 2, 3, 4]), { width: 10, height: 10 }, { width: 20, height: 50 });
  assert.deepEqual([...flow], [2, 10, 6, 20]);
  assert.deepEqual([...resized([1, 2, 3, 4], { width: 2, height: 1 }, { width: 2, height: 2 }, 2)], [1, 2, 3, 4, 1, 2, 3, 4]);
});

test("a .flo file holds mark, width, height, flow", async () => {
  const view = new DataView(await floFile({ data: [1.5, -2, 3, 4], width: 2, height: 1 }).arrayBuffer());
  assert.equal(String.fromCharCode(...new Uint8Array(view.buffer, 0, 4)), "PIEH");
  assert.deepEqual([view.getInt32(4, true), view.getInt32(8, true)], [2, 1]);
  assert.deepEqual([12, 16, 20, 24].map((i) => view.getFloat32(i, true)), [1.5, -2, 3, 4]);
});

test("a manifest of the export is taken, and one that breaks its schema is refused with the place", () => {
  const good = manifestOf("int8-ptq");
  assert.deepEqual(readManifest(JSON.stringify(good), schema, "model.json"), good);
  for (const [change, expected] of [
    [(m) => (m.format = "tfflow-model-2"), /has format "tfflow-model-2", expected "tfflow-model-1"/],
    [(m) => delete m.resize, /the manifest: lacks resize/],
    [(m) => (m.inputs[1].shape = [-1, 32, 48, 3]), /inputs\/1\/shape\/0: must be at least 1/],
    [(m) => (m.inputs[0].type = "int8"), /inputs\/0\/type: must be one of float32, uint8/],
    [(m) => m.inputs.pop(), /inputs: must have at least 2 items/],
    [(m) => (m.file = "../other.tflite"), /file: must match/],
    [(m) => (m.bytes = "many"), /bytes: must be of type integer/],
    [(m) => (m.outputs[0].components = ["v", "u"]), /outputs\/0\/components: must be \["u","v"\]/],
    [(m) => (m.numbers.epe = "low"), /numbers\/epe: must be of type number/],
    [(m) => (m.colour = "blue"), /has colour, which this version does not know/],
  ]) {
    const bad = structuredClone(good);
    change(bad);
    assert.throws(() => readManifest(JSON.stringify(bad), schema, "model.json"), expected);
  }
  assert.throws(() => readManifest("{", schema, "model.json"), /model.json is no manifest/);
  assert.throws(() => readManifest("null", schema, "model.json"), /has format undefined/);
});

test("a keyword of the schema that the page does not know is not passed over", () => {
  assert.throws(() => broken(5, { maximum: 3 }), /keyword maximum/);
});

test("a model file is the one that the manifest describes, or refused", async () => {
  const bytes = new Uint8Array(readFileSync(path("fp32", "model.tflite")));
  await checkModel(bytes, manifestOf("fp32"));
  bytes[1000] ^= 1;
  await assert.rejects(checkModel(bytes, manifestOf("fp32")), /not the file that its model.json describes/);
});
