/** Pairs of frames from two pictures, a video file or the camera. */

import { Refusal } from "./refusal.ts";
import type { Pair, Size } from "./types.ts";

/** Two image files of one size, in the order of their names -> a pair. Throws Refusal. */
export async function picturePair(files: File[]): Promise<Pair> {
  if (files.length !== 2) {
    throw new Refusal(`flow needs two pictures, got ${files.length}: choose or drop two together`);
  }
  const sorted = [...files].sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
  const frames: Pair["frames"] = [await decoded(sorted[0]), await decoded(sorted[1])];
  const sizes = frames.map((frame) => `${frame.width}x${frame.height}`);
  if (sizes[0] !== sizes[1]) {
    throw new Refusal(
      `${sorted[0].name} is ${sizes[0]} px and ${sorted[1].name} ${sizes[1]} px: give two frames of one size`,
    );
  }
  return { frames, apart: null };
}

async function decoded(file: File): Promise<ImageData> {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  } catch {
    throw new Refusal(`${file.name} cannot be decoded as an image: give png, jpg, webp, gif, bmp or avif`);
  }
  const canvas = new Canvas(bitmap);
  canvas.show(bitmap);
  bitmap.close();
  return canvas.pixels();
}

/** A canvas that nobody sees, for the pixels of what is drawn on it. */
class Canvas {
  readonly width: number;
  readonly height: number;
  readonly #context: OffscreenCanvasRenderingContext2D;

  constructor({ width, height }: Size) {
    [this.width, this.height] = [width, height];
    const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    if (!context) throw new Error("this browser gives no canvas to draw on");
    this.#context = context;
  }

  show(image: CanvasImageSource): void {
    this.#context.drawImage(image, 0, 0, this.width, this.height);
  }

  pixels(): ImageData {
    return this.#context.getImageData(0, 0, this.width, this.height);
  }
}

/** A playing <video> of the camera. size: what the network takes, asked for and not insisted on. */
export async function openCamera(video: HTMLVideoElement, size: Size): Promise<void> {
  if (!navigator.mediaDevices?.getUserMedia) {
    throw new Refusal("This browser gives no camera here: open the page through https, or as localhost");
  }
  const constraints = {
    facingMode: "environment",
    resizeMode: { exact: "none" }, // a mode that the camera has; the page resizes by the manifest's rule
    width: { ideal: size.width },
    height: { ideal: size.height },
  };
  try {
    video.srcObject = await navigator.mediaDevices.getUserMedia({ audio: false, video: constraints });
  } catch (error) {
    const { name, message } = error as DOMException;
    throw new Refusal(CAMERA[name] ?? `The camera cannot be used (${message}): use a video or two pictures`);
  }
  await video.play();
}

const CAMERA: Record<string, string> = {
  NotAllowedError: "The camera was refused: allow it for this page in the browser's settings, then press Camera again",
  NotFoundError: "No camera was found: connect one, or use a video or two pictures",
  NotReadableError: "The camera is in use elsewhere: close what uses it, then press Camera again",
};

/** A playing <video> of a file, over and over. */
export async function openVideo(video: HTMLVideoElement, file: File): Promise<void> {
  video.loop = true;
  video.src = URL.createObjectURL(file);
  try {
    await video.play();
  } catch (error) {
    if ((error as DOMException).name === "AbortError") return; // another source was chosen meanwhile
    throw new Refusal(`${file.name} cannot be played by this browser: give an mp4 (H.264) or webm, or two pictures`);
  }
}

export function closeVideo(video: HTMLVideoElement): void {
  if (video.srcObject instanceof MediaStream) for (const track of video.srcObject.getTracks()) track.stop();
  video.pause();
  if (video.src) URL.revokeObjectURL(video.src);
  video.srcObject = null;
  video.removeAttribute("src");
}

interface Frame {
  canvas: Canvas;
  time: number;
}

/** What is used of a <video>. */
export type Player = CanvasImageSource &
  Pick<HTMLVideoElement, "videoWidth" | "videoHeight" | "currentTime"> &
  Partial<Pick<HTMLVideoElement, "requestVideoFrameCallback">>;

/**
 * The last two frames that a <video> showed, one after the other even where the network is slower than the camera.
 * onPair is called as soon as a pair is there and the one before is done. gap: s; frames further apart make no pair,
 * since by then all has moved too far.
 */
export class FramePairs {
  #video: Player | null;
  #kept: Frame[] = []; // the frame before, and the last
  #busy = false;

  constructor(
    video: Player,
    readonly onPair: (pair: Pair) => Promise<void>,
    readonly gap = 1,
  ) {
    this.#video = video;
    this.#next();
  }

  stop(): void {
    this.#video = null;
  }

  #next(): void {
    if (!this.#video) return;
    if (this.#video.requestVideoFrameCallback) {
      this.#video.requestVideoFrameCallback((_, { mediaTime }) => this.#frame(mediaTime));
    } else {
      requestAnimationFrame(() => this.#frame(this.#video?.currentTime ?? 0));
    }
  }

  #frame(time: number): void {
    if (!this.#video) return;
    const { videoWidth: width, videoHeight: height } = this.#video;
    const last = this.#kept.at(-1);
    if (width) {
      const fits = (frame: Frame | undefined) => frame?.canvas.width === width && frame.canvas.height === height;
      const follows = last && fits(last) && time > last.time && time - last.time <= this.gap;
      const oldest = this.#kept.length === 2 ? this.#kept[0] : undefined;
      const canvas = oldest && fits(oldest) ? oldest.canvas : new Canvas({ width, height });
      canvas.show(this.#video);
      this.#kept = follows ? [last, { canvas, time }] : [{ canvas, time }]; // a video that starts anew makes no pair
      if (this.#kept.length === 2 && !this.#busy) void this.#give(this.#kept[0], this.#kept[1]);
    }
    this.#next();
  }

  async #give(first: Frame, second: Frame): Promise<void> {
    this.#busy = true;
    try {
      const frames: Pair["frames"] = [first.canvas.pixels(), second.canvas.pixels()];
      await this.onPair({ frames, apart: second.time - first.time });
    } finally {
      this.#busy = false;
    }
  }
}
