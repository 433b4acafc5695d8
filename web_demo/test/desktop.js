/** What `vectors.py` wrote: the desktop's numbers, and the files that the page is given. */

import { readFileSync } from "node:fs";
import { join } from "node:path";

export const FOLDER = process.env.TFFLOW_WEB_VECTORS;
export const vectors = JSON.parse(readFileSync(join(FOLDER, "vectors.json"), "utf8"));
export const path = (...names) => join(FOLDER, ...names);
export const manifestOf = (model) => JSON.parse(readFileSync(path(model, "model.json"), "utf8"));
export const pair = (name) => [path(`${name}1.png`), path(`${name}2.png`)];

/** The numbers of a file of float32. */
export function floats(name) {
  const bytes = readFileSync(path(name));
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

/** A pair's first frame, as a canvas gives its pixels. */
export function pixels(name) {
  const [height, width] = vectors.frames[name];
  const rgb = readFileSync(path(`${name}.rgb`));
  const data = new Uint8ClampedArray((rgb.length / 3) * 4).fill(255);
  for (let i = 0; i < rgb.length; i++) data[Math.floor(i / 3) * 4 + (i % 3)] = rgb[i];
  return { data, width, height };
}

/** Largest and mean distance of two arrays of one length; NaN where one holds NaN. */
export function distance(a, b) {
  if (a.length !== b.length) throw new Error(`${a.length} numbers against ${b.length}`);
  let [largest, sum] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    const d = Math.abs(a[i] - b[i]);
    sum += d;
    if (!(d <= largest)) largest = d;
  }
  return { largest, mean: sum / a.length };
}
