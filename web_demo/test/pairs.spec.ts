/** Which frames of a camera make a pair, without a browser: a video that shows what the test says. */

import { expect, test } from "@playwright/test";
import { FramePairs, type Player } from "../src/sources.ts";
import { vectors } from "./desktop.ts";

/** A <video> that shows one frame after the other, by name. */
class Video {
  videoWidth = 8;
  videoHeight = 6;
  currentTime = 0;
  shows = "";
  tell: ((now: number, frame: { mediaTime: number }) => void) | null = null;

  requestVideoFrameCallback(tell: typeof this.tell) {
    this.tell = tell;
  }

  /** Shows a frame at `time`, s. */
  async frame(shows: string, time: number) {
    this.shows = shows;
    const { tell } = this;
    this.tell = null;
    tell?.(0, { mediaTime: time });
    await null;
  }
}

class FakeCanvas {
  shown = "";

  constructor(
    readonly width: number,
    readonly height: number,
  ) {}

  getContext() {
    const drawImage = (video: Video) => (this.shown = video.shows);
    return { drawImage, getImageData: () => ({ shown: this.shown }) };
  }
}

let video: Video;
let given: (string | number)[][]; // the pairs so far
let done: () => void; // ends the network's work on the last one

test.beforeEach(() => {
  Object.assign(globalThis, { OffscreenCanvas: FakeCanvas });
  video = new Video();
  given = [];
});

const pairs = (gap?: number) =>
  new FramePairs(
    video as unknown as Player,
    ({ frames, apart }) => {
      given.push([...frames.map((frame) => (frame as unknown as FakeCanvas).shown), Number(apart?.toFixed(3))]);
      return new Promise((resolve) => (done = resolve));
    },
    gap,
  );

async function finish() {
  done();
  await new Promise(setImmediate);
}

test("frames pair as they do in the Android app", async () => {
  const { gap, nanos, first } = vectors.pairs;
  pairs(gap);
  for (const [i, time] of nanos.entries()) {
    await video.frame(`${i}`, time);
    if (given.length) await finish();
  }
  const expected = first.flatMap((k, i) => (k === null ? [] : [[`${k}`, `${i}`, nanos[i] - nanos[k]]]));
  expect(given).toEqual(expected);
});

test("frames that follow one another make pairs", async () => {
  pairs();
  await video.frame("a", 0.1);
  expect(given).toEqual([]);
  await video.frame("b", 0.15);
  await finish();
  await video.frame("c", 0.2);
  expect(given).toEqual([["a", "b", 0.05], ["b", "c", 0.05]]); // prettier-ignore
});

test("while the network is busy frames pass by, and the next pair is again of neighbours", async () => {
  pairs();
  for (const [i, name] of ["a", "b", "c", "d"].entries()) await video.frame(name, 0.1 + 0.05 * i);
  await finish();
  await video.frame("e", 0.3);
  expect(given).toEqual([["a", "b", 0.05], ["d", "e", 0.05]]); // prettier-ignore
});

test("a video that starts anew, a frame shown twice, a camera that turns: none makes a pair", async () => {
  pairs();
  await video.frame("last", 9.0);
  await video.frame("first", 0.0);
  await video.frame("first", 0.0);
  Object.assign(video, { videoWidth: 6, videoHeight: 8 });
  await video.frame("turned", 0.05);
  expect(given).toEqual([]);
  await video.frame("next", 0.1);
  expect(given).toEqual([["turned", "next", 0.05]]);
});

test("after the end there are no pairs, and no frames are asked for", async () => {
  const running = pairs();
  await video.frame("a", 0.1);
  running.stop();
  await video.frame("b", 0.2);
  expect(given).toEqual([]);
  expect(video.tell).toBeNull();
});
