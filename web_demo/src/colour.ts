/** Flow made visible, in the colours of tfflow/evaluation/pictures.py; the tests hold the two against each other. */

import type { Flow, Size } from "./types.ts";

// Middlebury's wheel: so many steps from each corner of the colour cube to the next, round from red.
const CORNERS = [[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 1, 1], [0, 0, 1], [1, 0, 1], [1, 0, 0]]; // prettier-ignore
const STEPS = [15, 6, 4, 11, 13, 6];
const WHEEL = CORNERS.slice(0, -1).flatMap((corner, i) =>
  Array.from({ length: STEPS[i] }, (_, k) => corner.map((c, j) => c + (CORNERS[i + 1][j] - c) * (k / STEPS[i]))),
);
const UNKNOWN = 1e9; // Middlebury: a flow of this length or more is none

const known = (u: number, v: number) => Math.abs(u) < UNKNOWN && Math.abs(v) < UNKNOWN; // false for NaN, too

/**
 * Direction as hue, length as saturation: flow, (u, v) pairs in px -> RGBA bytes. Right is red, down yellow, left cyan,
 * up violet; no motion is white; longer than `scale` px is darkened; what is no flow is black. Source: Baker et al. 2007.
 */
export function flowToColour(
  flow: ArrayLike<number>,
  scale: number,
  into = new Uint8ClampedArray(flow.length * 2),
): Uint8ClampedArray<ArrayBuffer> {
  for (let i = 0, o = 0; i < flow.length; i += 2, o += 4) {
    into[o] = into[o + 1] = into[o + 2] = 0;
    into[o + 3] = 255;
    if (!known(flow[i], flow[i + 1])) continue;
    const u = flow[i] / scale;
    const v = flow[i + 1] / scale;
    const length = Math.hypot(u, v);
    const turn = Math.atan2(v, u) / (2 * Math.PI);
    const position = (turn - Math.floor(turn)) * (WHEEL.length - 1); // the coding of 2007 leaves the last step out
    const low = Math.floor(position);
    const part = position - low;
    const from = WHEEL[low];
    const to = WHEEL[(low + 1) % WHEEL.length];
    for (let c = 0; c < 3; c++) {
      const hue = (1 - part) * from[c] + part * to[c];
      into[o + c] = Math.floor(255 * (length <= 1 ? 1 - length * (1 - hue) : 0.75 * hue));
    }
  }
  return into;
}

/** A scale for `flowToColour`: the 99th percentile of the lengths, px, at least 1, so that stillness shows no motion. */
export function robustScale(flow: ArrayLike<number>): number {
  const lengths: number[] = [];
  for (let i = 0; i < flow.length; i += 2) {
    if (known(flow[i], flow[i + 1])) lengths.push(Math.hypot(flow[i], flow[i + 1]));
  }
  return lengths.length ? Math.max(1, percentile(lengths, 99)) : 1;
}

/** Between the two values nearest to it, linearly, as NumPy does; of at least one value. */
export function percentile(values: ArrayLike<number>, percent: number): number {
  const sorted = Float64Array.from(values).sort();
  const place = (percent / 100) * (sorted.length - 1);
  const low = Math.floor(place);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (place - low) * (sorted[high] - sorted[low]);
}

/** The wheel as a disc on a square canvas; its rim is the legend's scale. */
export function drawLegend(canvas: HTMLCanvasElement): void {
  context2d(canvas).putImageData(new ImageData(disc(canvas.width), canvas.width, canvas.width), 0, 0);
}

/** RGBA of a square picture of `n` px: the wheel, transparent beyond its rim. */
export function disc(n: number): Uint8ClampedArray<ArrayBuffer> {
  const flow = new Float32Array(n * n * 2);
  for (let i = 0; i < n * n; i++) {
    flow[2 * i] = ((i % n) * 2) / (n - 1) - 1;
    flow[2 * i + 1] = (Math.floor(i / n) * 2) / (n - 1) - 1;
  }
  const pixels = flowToColour(flow, 1);
  for (let i = 0; i < n * n; i++) {
    if (Math.hypot(flow[2 * i], flow[2 * i + 1]) > 1) pixels[4 * i + 3] = 0;
  }
  return pixels;
}

/** A canvas to draw on and read from. */
export function context2d(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext("2d");
  if (!context) throw new Error("this browser gives no canvas to draw on");
  return context;
}

/** A frame (ImageData) on a canvas wide enough for arrows to be sharp. */
export function drawFrame(canvas: HTMLCanvasElement, frame: ImageData): void {
  const width = Math.min(Math.max(frame.width, 640), 1280);
  const height = Math.max(1, Math.round((width * frame.height) / frame.width));
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const whole = new OffscreenCanvas(frame.width, frame.height);
  whole.getContext("2d")?.putImageData(frame, 0, 0);
  context2d(canvas).drawImage(whole, 0, 0, width, height);
}

/**
 * Arrows over a canvas that shows image1, each `stretch` times as long as its flow; a dot where that is below half a
 * pixel. flow: px of a picture of size `of`, on a grid of its own. drawn: which of its values are; default: all.
 */
export function drawArrows(canvas: HTMLCanvasElement, flow: Flow, of: Size, stretch = 1, drawn = (_: number) => true): void {
  const context = context2d(canvas);
  const [sx, sy] = [canvas.width / of.width, canvas.height / of.height]; // px of the picture -> of the canvas
  const step = Math.max(8, Math.round(canvas.width / 28));
  context.fillStyle = "rgba(0, 0, 0, 0.4)";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.lineWidth = Math.max(1, canvas.width / 400);
  context.strokeStyle = "rgb(255, 240, 80)";
  context.fillStyle = "rgb(150, 220, 120)";
  const strokes = new Path2D();
  const dots = new Path2D();
  for (let y = step / 2; y < canvas.height; y += step) {
    for (let x = step / 2; x < canvas.width; x += step) {
      const column = Math.floor((x / canvas.width) * flow.width);
      const row = Math.floor((y / canvas.height) * flow.height);
      const i = 2 * (row * flow.width + column);
      if (!known(flow.data[i], flow.data[i + 1]) || !drawn(i / 2)) continue;
      const u = flow.data[i] * sx * stretch;
      const v = flow.data[i + 1] * sy * stretch;
      const length = Math.hypot(u, v);
      if (length < 0.5) {
        dots.moveTo(x + context.lineWidth, y);
        dots.arc(x, y, context.lineWidth, 0, 2 * Math.PI);
        continue;
      }
      const tip = Math.min(0.4 * length, 5 * context.lineWidth);
      const angle = Math.atan2(v, u);
      strokes.moveTo(x, y);
      strokes.lineTo(x + u, y + v);
      for (const turn of [-0.5, 0.5]) {
        strokes.moveTo(x + u, y + v);
        strokes.lineTo(x + u - tip * Math.cos(angle + turn), y + v - tip * Math.sin(angle + turn));
      }
    }
  }
  context.stroke(strokes);
  context.fill(dots);
}
