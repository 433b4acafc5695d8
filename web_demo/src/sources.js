/** Pairs of frames from two pictures, a video file or the camera. A pair is {frames: [ImageData, ImageData], apart}. */

import { Refusal } from "./refusal.js";

/** Two image files of one size, in the order of their names -> a pair. Throws Refusal. */
export async function picturePair(files) {
  if (files.length !== 2) {
    throw new Refusal(`flow needs two pictures, got ${files.length}: choose or drop two together`);
  }
  const sorted = [...files].sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
  const frames = [];
  for (const file of sorted) frames.push(await decoded(file));
  const sizes = frames.map((frame) => `${frame.width}x${frame.height}`);
  if (sizes[0] !== sizes[1]) {
    throw new Refusal(
      `${sorted[0].name} is ${sizes[0]} px and ${sorted[1].name} ${sizes[1]} px: give two frames of one size`,
    );
  }
  return { frames, apart: null };
}

async function decoded(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  } catch {
    throw new Refusal(`${file.name} cannot be decoded as an image: give png, jpg, webp, gif, bmp or avif`);
  }
  const pixels = pixelsOf(bitmap, bitmap.width, bitmap.height, new OffscreenCanvas(1, 1));
  bitmap.close();
  return pixels;
}

function pixelsOf(image, width, height, canvas) {
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0, width, height);
  return context.getImageData(0, 0, width, height);
}

/** A playing <video> of the camera. size: {width, height}, what the network takes, asked for and not insisted on. */
export async function openCamera(video, size) {
  if (!navigator.mediaDevices?.getUserMedia) {
    throw new Refusal("This browser gives no camera here: open the page through https, or as localhost");
  }
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({
      audio: false,
      video: {
        facingMode: "environment",
        resizeMode: { exact: "none" }, // a mode that the camera has; the page resizes by the manifest's rule
        width: { ideal: size.width },
        height: { ideal: size.height },
      },
    });
  } catch (error) {
    throw new Refusal(CAMERA[error.name] ?? `The camera cannot be used (${error.message}): use a video or two pictures`);
  }
  video.srcObject = stream;
  await video.play();
}

const CAMERA = {
  NotAllowedError: "The camera was refused: allow it for this page in the browser's settings, then press Camera again",
  NotFoundError: "No camera was found: connect one, or use a video or two pictures",
  NotReadableError: "The camera is in use elsewhere: close what uses it, then press Camera again",
};

/** A playing <video> of a file, over and over. */
export async function openVideo(video, file) {
  video.loop = true;
  video.src = URL.createObjectURL(file);
  try {
    await video.play();
  } catch (error) {
    if (error.name === "AbortError") return; // another source was chosen meanwhile
    throw new Refusal(`${file.name} cannot be played by this browser: give an mp4 (H.264) or webm, or two pictures`);
  }
}

export function closeVideo(video) {
  for (const track of video.srcObject?.getTracks() ?? []) track.stop();
  video.pause();
  if (video.src) URL.revokeObjectURL(video.src);
  video.srcObject = null;
  video.removeAttribute("src");
}

/**
 * The last two frames that a <video> showed, one after the other even where the network is slower than the camera.
 * onPair is called as soon as a pair is there and the one before is done.
 */
export class FramePairs {
  #kept = []; // {canvas, time}: the frame before, and the last
  #busy = false;

  constructor(video, onPair) {
    this.video = video;
    this.onPair = onPair;
    this.#next();
  }

  stop() {
    this.video = null;
  }

  #next() {
    if (!this.video) return;
    if (this.video.requestVideoFrameCallback) {
      this.video.requestVideoFrameCallback((_, { mediaTime }) => this.#frame(mediaTime));
    } else {
      requestAnimationFrame(() => this.#frame(this.video?.currentTime));
    }
  }

  #frame(time) {
    if (!this.video) return;
    const { videoWidth: width, videoHeight: height } = this.video;
    const last = this.#kept.at(-1);
    if (width && time !== last?.time) {
      const follows = last && time > last.time && last.canvas.width === width && last.canvas.height === height;
      const canvas = (this.#kept.length === 2 && this.#kept.shift().canvas) || new OffscreenCanvas(width, height);
      if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
      canvas.getContext("2d", { willReadFrequently: true }).drawImage(this.video, 0, 0, width, height);
      this.#kept = follows ? [last, { canvas, time }] : [{ canvas, time }]; // a video that starts anew makes no pair
      if (this.#kept.length === 2 && !this.#busy) this.#give();
    }
    this.#next();
  }

  async #give() {
    this.#busy = true;
    const frames = this.#kept.map(({ canvas }) =>
      canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height),
    );
    try {
      await this.onPair({ frames, apart: this.#kept[1].time - this.#kept[0].time });
    } finally {
      this.#busy = false;
    }
  }
}
