/** What the modules hand each other. */

export interface Size {
  width: number;
  height: number;
}

/** Flow on a grid: (u, v) pairs, row by row. */
export interface Flow extends Size {
  data: Float32Array<ArrayBuffer>;
}

/** Two frames of one size; apart: s between them, null where nobody knows. */
export interface Pair {
  frames: [ImageData, ImageData];
  apart: number | null;
}

export type Shape = [number, number, number, number];
export type Values = Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

/** One of the network's images, by the manifest. */
export interface ImageInput {
  name: string;
  shape: Shape;
  type: "float32" | "uint8";
  range: [number, number];
}

/** The part of `model.json` that the page reads; the whole of it is held against its schema. */
export interface Manifest {
  format: string;
  network: string;
  precision: string;
  parameters: number;
  file: string;
  sha256: string;
  signature: string;
  inputs: ImageInput[];
  outputs: { name: string; shape: Shape; type: "float32" }[];
}

export interface Model {
  manifest: Manifest;
  bytes: Uint8Array<ArrayBuffer>;
}

/** Where a network runs. threads: of WebAssembly; note: why it is not on WebGPU, or on fewer threads than asked for. */
export interface Place {
  backend: "wasm" | "webgpu";
  threads: number;
  note: string;
}

export interface Result {
  values: Record<string, Float32Array<ArrayBuffer>>;
  milliseconds: number;
  /** Bytes of WebAssembly's memory. */
  heap: number;
}

/** What the page asks of a network's worker. */
export type Request =
  | { id: number; open: Model & { webgpu: boolean; threads: number } }
  | { id: number; run: Record<string, Values> };

/** What a worker answers; `lost` comes unasked, when WebGPU goes away. */
export type Answer =
  | { id: number; place: Place }
  | { id: number; result: Result }
  | { id: number; refused: string }
  | { id: number; failed: string }
  | { lost: string };
