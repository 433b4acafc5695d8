/** Which frames of a camera make a pair, without a browser: a video that shows what the test says. */

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { FramePairs } from "../src/sources.js";

globalThis.OffscreenCanvas = class {
  constructor(width, height) {
    Object.assign(this, { width, height });
  }

  getContext() {
    const drawImage = (video) => (this.shown = video.shows);
    const getImageData = (x, y, width, height) => ({ shown: this.shown, width, height });
    return { drawImage, getImageData };
  }
};

let video;
let given; // the pairs so far
let done; // ends the network's work on the last one

beforeEach(() => {
  video = { videoWidth: 8, videoHeight: 6, requestVideoFrameCallback: (tell) => (video.tell = tell) };
  given = [];
});

const pairs = () =>
  new FramePairs(video, (pair) => {
    given.push([...pair.frames.map((frame) => frame.shown), Number(pair.apart.toFixed(3))]);
    return new Promise((resolve) => (done = resolve));
  });

/** The video shows frame `shows` at `time`, s. */
async function frame(shows, time) {
  video.shows = shows;
  const tell = video.tell;
  video.tell = null;
  tell?.(0, { mediaTime: time });
  await null;
}

async function finish() {
  done();
  await new Promise(setImmediate);
}

test("frames that follow one another make pairs", async () => {
  pairs();
  await frame("a", 0.1);
  assert.deepEqual(given, []);
  await frame("b", 0.15);
  await finish();
  await frame("c", 0.2);
  assert.deepEqual(given, [["a", "b", 0.05], ["b", "c", 0.05]]); // prettier-ignore
});

test("while the network is busy frames pass by, and the next pair is again of neighbours", async () => {
  pairs();
  for (const [i, name] of ["a", "b", "c", "d"].entries()) await frame(name, 0.1 + 0.05 * i);
  await finish();
  await frame("e", 0.3);
  assert.deepEqual(given, [["a", "b", 0.05], ["d", "e", 0.05]]); // prettier-ignore
});

test("a video that starts anew, a frame shown twice, a camera that turns: none makes a pair", async () => {
  pairs();
  await frame("last", 9.0);
  await frame("first", 0.0);
  await frame("first", 0.0);
  Object.assign(video, { videoWidth: 6, videoHeight: 8 });
  await frame("turned", 0.05);
  assert.deepEqual(given, []);
  await frame("next", 0.1);
  assert.deepEqual(given, [["turned", "next", 0.05]]);
});

test("after the end there are no pairs, and no frames are asked for", async () => {
  const running = pairs();
  await frame("a", 0.1);
  running.stop();
  await frame("b", 0.2);
  assert.deepEqual(given, []);
  assert.equal(video.tell, null);
});
