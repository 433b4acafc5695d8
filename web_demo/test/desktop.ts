/** What the desktop says: of this run's networks (`vectors.py`), and in the vectors that the Android app has, too. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../python.ts";
import type { Manifest } from "../src/types.ts";

export const FOLDER = process.env.TFFLOW_WEB_VECTORS!;
export const path = (...names: string[]) => join(FOLDER, ...names);

/** Height and width of the frames of each pair. */
export const FRAMES = { large: [100, 150], small: [20, 30], equal: [32, 48], wide: [60, 49] } as const;
export const manifestOf = (model: string): Manifest & Record<string, unknown> =>
  JSON.parse(readFileSync(path(model, "model.json"), "utf8"));
export const pair = (name: string) => [path(`${name}1.png`), path(`${name}2.png`)];

/** The numbers of a file of float32. */
export function floats(name: string): Float32Array {
  const bytes = readFileSync(path(name));
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

/** `python -m tfflow.commands.vectors` wrote them. */
export interface Vectors {
  tolerance: Record<"resize" | "resize_uint8" | "colour" | "disc" | "confidence" | "latency", number>;
  resize: {
    width: number;
    height: number;
    image: number[];
    to: [number, number];
    range: [number, number];
    type: "float32" | "uint8";
    /** Of the picture in the input: top, left, height, width; the rest of it is black. */
    placed: [number, number, number, number];
    values: number[];
  }[];
  pairs: { gap: number; nanos: number[]; first: (number | null)[] };
  colour: { scale: number; flow: number[]; rgb: number[] };
  confidence: { height: number; width: number; flow12: number[]; flow21: number[]; values: number[] };
  disc: { size: number; rgb: number[] };
  latency: { window: number; millis: number[]; median: number; p90: number };
  manifests: { good: Record<string, unknown>[]; bad: { path: (string | number)[]; value?: unknown }[] };
}

export const vectors: Vectors = JSON.parse(
  readFileSync(join(ROOT, "android_demo/core/src/test/resources/vectors.json"), "utf8"),
);

/** Largest and mean distance of two arrays of one length; NaN where one holds NaN. */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): { largest: number; mean: number } {
  if (a.length !== b.length) throw new Error(`${a.length} numbers against ${b.length}`);
  let [largest, sum] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    const d = Math.abs(a[i] - b[i]);
    sum += d;
    if (!(d <= largest)) largest = d;
  }
  return { largest, mean: sum / a.length };
}
