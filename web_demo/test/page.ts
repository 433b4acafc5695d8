/** The page in Chromium, for tests and for pictures of it. */

import { readFileSync } from "node:fs";
import { basename, extname } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "@playwright/test";

/** A file that the page is given: a path, or name and contents. */
export type Given = string | { name: string; mimeType: string; buffer: Buffer };

const TYPES: Record<string, string> = { ".png": "image/png", ".webm": "video/webm", ".json": "application/json" };

export const file = (name: string, contents: string | Uint8Array, mimeType = "application/octet-stream"): Given => ({
  name,
  mimeType,
  buffer: Buffer.from(contents),
});

/** What went wrong inside the page, and the hosts that it asked. */
export interface Watched {
  crashes: string[];
  hosts: Set<string>;
}

const watched = new WeakMap<Page, Watched>();
export const seen = (page: Page): Watched => watched.get(page) ?? { crashes: ["not watched"], hosts: new Set() };

/** The page at an address, loaded, and allowed to see the camera; `before` may put something in its way. */
export async function open(
  browser: Browser,
  address: string,
  options: BrowserContextOptions = {},
  before: (page: Page) => Promise<unknown> = async () => {},
): Promise<Page> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    permissions: ["camera"],
    serviceWorkers: "block", // else it answers what a test wants to answer
    ...options,
  });
  const page = await context.newPage();
  const watch: Watched = { crashes: [], hosts: new Set() };
  watched.set(page, watch);
  page.on("pageerror", (error) => watch.crashes.push(String(error)));
  page.on("request", (request) => watch.hosts.add(new URL(request.url()).host));
  await before(page);
  await page.goto(address);
  await settled(page);
  return page;
}

/** Until the page has done what it was asked for. */
export async function settled(page: Page): Promise<void> {
  await page.waitForFunction(() => /^(Ready|No model)/.test(document.getElementById("status")?.textContent ?? ""));
}

/** Gives files to one of the page's inputs, and waits for the result. */
export async function give(page: Page, id: string, files: Given[]): Promise<void> {
  const read = (one: Given) => (typeof one === "string" ? file(basename(one), readFileSync(one), TYPES[extname(one)]) : one);
  await page.setInputFiles(`#${id}`, files.map(read) as Exclude<Given, string>[]);
  await settled(page);
}

/** The refusal that the page shows, or that there is none. */
export async function refusal(page: Page): Promise<string> {
  return (await page.isVisible("#alert")) ? ((await page.textContent("#alert")) ?? "") : "no refusal";
}

/** The flow of the n-th network, saved by its button. */
export async function saved(page: Page, n: number) {
  const [download] = await Promise.all([page.waitForEvent("download"), page.locator(".save").nth(n).click()]);
  const bytes = readFileSync(await download.path());
  const data = new Float32Array(bytes.buffer.slice(bytes.byteOffset + 12, bytes.byteOffset + bytes.length));
  return { name: download.suggestedFilename(), width: bytes.readInt32LE(4), height: bytes.readInt32LE(8), data };
}

/** RGBA of a canvas, which should be small. */
export function pixels(page: Page, selector: string): Promise<number[]> {
  return page.evaluate((selector) => {
    const canvas = document.querySelector<HTMLCanvasElement>(selector)!;
    return [...canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height).data];
  }, selector);
}
