/** The videos that `tfflow predict` writes, in Chromium: they load, seek, and show the frames that went in. */

import { readFileSync } from "node:fs";
import { expect, test } from "@playwright/test";
import { launch } from "../chromium.ts";
import { distance, path } from "./desktop.ts";

/** Frames that `vectors.py` kept as they went in, RGB; the video has 50 a second. */
const SOUGHT = [14, 5];
const FPS = 50;
const [WIDTH, HEIGHT] = [640, 240]; // frame and flow, side by side

for (const [name, type] of [["flow.mp4", "video/mp4"], ["flow.webm", "video/webm"]]) {
  test(`${name} of tfflow predict plays, and seeking shows the frame of that time`, async () => {
    const browser = await launch();
    const page = await browser.newPage();
    const data = readFileSync(path(name)).toString("base64");
    const shown = await page.evaluate(
      async ([data, type, times]) => {
        const video = document.createElement("video");
        video.muted = true;
        const on = (event: string) =>
          new Promise((resolve, reject) => {
            video.addEventListener(event, resolve, { once: true });
            video.addEventListener("error", () => reject(new Error(video.error?.message)), { once: true });
          });
        const ready = on("loadeddata");
        video.src = URL.createObjectURL(new Blob([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))], { type }));
        await ready;
        const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
        const context = canvas.getContext("2d", { willReadFrequently: true })!;
        const frames: number[][] = [];
        for (const time of times) {
          const there = on("seeked");
          video.currentTime = time;
          await there;
          context.drawImage(video, 0, 0);
          const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
          frames.push(Array.from(data.filter((_, i) => i % 28 < 3))); // RGB of every seventh pixel
        }
        const ended = on("ended");
        video.currentTime = video.duration - 0.2;
        await video.play();
        await ended;
        return { frames, size: [video.videoWidth, video.videoHeight], duration: video.duration };
      },
      [data, type, SOUGHT.map((n) => (n + 0.5) / FPS)] as const,
    );
    await browser.close();
    expect(shown.size).toEqual([WIDTH, HEIGHT]);
    expect(shown.duration).toBeCloseTo(39 / FPS, 1); // pairs of 40 frames
    const kept = SOUGHT.map((n) => readFileSync(path(`flow-${n}.rgb`)).filter((_, i) => i % 21 < 3));
    for (const [i, frame] of shown.frames.entries()) {
      const here = distance(frame, kept[i]).mean;
      expect(here, `levels of 255, frame ${SOUGHT[i]}`).toBeLessThan(8);
      expect(distance(frame, kept[1 - i]).mean, "to the frame of the other time").toBeGreaterThan(2 * here);
    }
  });
}
