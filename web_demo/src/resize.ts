/** Between a picture's grid and the network's, by the rule of the manifest: one axis after the other. */

import type { Flow, ImageInput, Size, Values } from "./types.ts";

interface Taps {
  start: number;
  weights: number[];
}

/**
 * What a new pixel is made of, along one axis: where it starts and its weights. A grid that shrinks averages over what
 * the new pixel covers; one that grows interpolates linearly between centres, edges repeated.
 */
function taps(from: number, to: number): Taps[] {
  const ratio = from / to;
  return Array.from({ length: to }, (_, i) => {
    if (from > to) {
      const [low, high] = [i * ratio, Math.min((i + 1) * ratio, from)];
      const start = Math.floor(low);
      const weights: number[] = [];
      for (let k = start; k < high - 1e-9; k++) weights.push((Math.min(k + 1, high) - Math.max(k, low)) / (high - low));
      return { start, weights };
    }
    const centre = Math.min(Math.max((i + 0.5) * ratio - 0.5, 0), from - 1);
    const start = Math.min(Math.floor(centre), Math.max(from - 2, 0));
    return { start, weights: from === 1 ? [1] : [1 - (centre - start), centre - start] };
  });
}

/** `channels` of the `stride` values that each pixel of `data` has -> the values of another grid. */
export function resized(
  data: ArrayLike<number>,
  from: Size,
  to: Size,
  channels: number,
  stride = channels,
): Float32Array<ArrayBuffer> {
  const columns = taps(from.width, to.width);
  const rows = taps(from.height, to.height);
  const narrow = new Float32Array(from.height * to.width * channels);
  for (let y = 0, o = 0; y < from.height; y++) {
    for (const { start, weights } of columns) {
      for (let c = 0; c < channels; c++, o++) {
        let sum = 0;
        let i = (y * from.width + start) * stride + c;
        for (const weight of weights) {
          sum += weight * data[i];
          i += stride;
        }
        narrow[o] = sum;
      }
    }
  }
  const line = to.width * channels;
  const out = new Float32Array(to.height * line);
  for (const [y, { start, weights }] of rows.entries()) {
    for (const [k, weight] of weights.entries()) {
      const source = (start + k) * line;
      for (let i = 0; i < line; i++) out[y * line + i] += weight * narrow[source + i];
    }
  }
  return out;
}

/** Pixels as a canvas gives them (RGBA bytes) -> one of the manifest's inputs, in its size, range and type. */
export function toInput(pixels: ImageData, input: ImageInput): Values {
  const [, height, width, channels] = input.shape;
  const values = resized(pixels.data, pixels, { width, height }, channels, 4);
  const [low, high] = input.range;
  const bytes = input.type === "uint8" ? new Uint8ClampedArray(values.length) : null; // clamped: rounds half to even
  const out = bytes ?? values;
  for (let i = 0; i < values.length; i++) out[i] = low + (values[i] / 255) * (high - low);
  return bytes ? new Uint8Array(bytes.buffer) : values;
}

/** The manifest's flow, in px of the network's images -> the same grid in px of frames of another size, in place. */
export function toFramePixels<T extends Float32Array>(flow: T, of: Size, frame: Size): T {
  const [ru, rv] = [frame.width / of.width, frame.height / of.height];
  for (let i = 0; i < flow.length; i += 2) {
    flow[i] *= ru;
    flow[i + 1] *= rv;
  }
  return flow;
}

/** A Middlebury .flo file. */
export function floFile({ data, width, height }: Flow): Blob {
  const header = new ArrayBuffer(12);
  const view = new DataView(header);
  view.setFloat32(0, 202021.25, true); // "PIEH", the format's mark
  view.setInt32(4, width, true);
  view.setInt32(8, height, true);
  const body = new DataView(new ArrayBuffer(data.length * 4));
  for (let i = 0; i < data.length; i++) body.setFloat32(4 * i, data[i], true);
  return new Blob([header, body.buffer], { type: "application/octet-stream" });
}
