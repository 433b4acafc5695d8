/** Debian's Chromium, or the one that CHROMIUM names. */

import { existsSync } from "node:fs";
import { type Browser, chromium } from "@playwright/test";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** WebGPU on the processor: slow, and there without a graphics card. */
export const SOFTWARE_WEBGPU = [
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--enable-features=Vulkan",
  "--use-vulkan=swiftshader",
];

/** A camera that shows a file of raw video, .y4m; pages with permission get it without a question. */
export const camera = (file: string) => [
  "--use-fake-device-for-media-stream",
  `--use-file-for-fake-video-capture=${file}`,
  "--deny-permission-prompts",
];

export function launch(...args: string[]): Promise<Browser> {
  const executablePath = process.env.CHROMIUM ?? PLACES.find(existsSync);
  if (!executablePath) throw new Error("no Chromium here: apt-get install chromium, or name one in CHROMIUM");
  return chromium.launch({ executablePath, args });
}
