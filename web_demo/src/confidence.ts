/** How far flow can be trusted, by the flow back: tfflow/models/confidence.py has the same, and leaves out flat areas, too. */

import type { Flow, Size } from "./types.ts";

const HALF = 1; // px; a residual as large halves the confidence

/**
 * 1 / (1 + residual / 1 px) of each value of the flow: 1 where both flows agree, 0 where they do not at all. The residual
 * is how far the flow there and the flow back end from where they began; beyond the frame the flow back is 0.
 *
 * flow, back: px of frames of size `frame`, on one grid.
 */
export function confidence(flow: Flow, back: Float32Array, frame: Size): Float32Array<ArrayBuffer> {
  const { data, width, height } = flow;
  const [stepX, stepY] = [frame.width / width, frame.height / height];
  const sure = new Float32Array(width * height);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const [u, v] = [data[2 * i], data[2 * i + 1]];
      const [toX, toY] = [x + u / stepX, y + v / stepY];
      const [left, top] = [Math.floor(toX), Math.floor(toY)];
      let [backU, backV] = [0, 0];
      for (let k = 0; k < 4; k++) {
        const [column, row] = [left + (k & 1), top + (k >> 1)];
        if (!(column >= 0 && row >= 0 && column < width && row < height)) continue;
        const share = (1 - Math.abs(toX - column)) * (1 - Math.abs(toY - row));
        backU += share * back[2 * (row * width + column)];
        backV += share * back[2 * (row * width + column) + 1];
      }
      const residual = Math.hypot(u + backU, v + backV);
      sure[i] = Number.isFinite(residual) ? HALF / (HALF + residual) : 0;
    }
  }
  return sure;
}

/** Colours, RGBA, that fade where the flow is not sure: alpha is the confidence. In place. */
export function fade(rgba: Uint8ClampedArray<ArrayBuffer>, sure: ArrayLike<number>): Uint8ClampedArray<ArrayBuffer> {
  for (let i = 0; i < sure.length; i++) rgba[4 * i + 3] = 255 * sure[i];
  return rgba;
}
