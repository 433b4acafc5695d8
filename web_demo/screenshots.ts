/** `npm run screenshots -- OUT MODEL MODEL`: pictures of the page as it is used, to be looked at. */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { camera, launch } from "./chromium.ts";
import { given, python, serve } from "./python.ts";
import { file, give, open, settled } from "./test/page.ts";

const [out, ...models] = process.argv.slice(2).map(given);
if (!models.length) {
  console.error("usage: npm run screenshots -- OUT MODEL [MODEL ...], .tflite files or folders of exports");
  process.exit(2);
}
mkdirSync(out, { recursive: true });
await python(["web_demo/test/scenes.py", out]);
const served = await serve(models);
const browser = await launch(...camera(join(out, "camera.y4m")));
const frames = [join(out, "frame1.png"), join(out, "frame2.png")];
const WIDE = { viewport: { width: 1280, height: 860 } };
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 };

async function shot(page: Page, name: string) {
  await page.screenshot({ path: join(out, `${name}.png`), fullPage: true });
  console.log(`${name}: ${(await page.locator("#alert:visible, figcaption").allInnerTexts()).join(" | ").replace(/\n/g, "; ")}`);
}

async function film(page: Page) {
  await page.click("#camera");
  await page.waitForFunction(() => /([5-9]|\d\d+) pairs/.test(document.getElementById("rate")?.textContent ?? ""), null, {
    timeout: 0,
  });
}

try {
  for (const [size, viewport] of [["wide", WIDE], ["phone", PHONE]] as const) {
    const page = await open(browser, served.address, { ...viewport, colorScheme: size === "wide" ? "light" : "dark" });
    await shot(page, `${size}-start`);
    await give(page, "pictures", frames);
    await shot(page, `${size}-pictures`);
    await give(page, "pictures", [frames[0], file("note.png", "no image", "image/png")]);
    await shot(page, `${size}-refused-picture`);
    await film(page);
    await page.click("#fit");
    await shot(page, `${size}-camera`);
    await page.click("#stop");
    await page.context().clearPermissions();
    await page.click("#camera");
    await page.waitForSelector("#alert:visible");
    await settled(page);
    await shot(page, `${size}-refused-camera`);
    await page.context().close();
  }
  const broken = await open(browser, served.address, PHONE, (page) =>
    page.route("**/model.tflite", (route) => route.fulfill({ body: "damaged" })),
  );
  await shot(broken, "phone-damaged-model");
  await broken.goto(`${served.address}benchmark.html?runs=5`);
  await broken.unroute("**/model.tflite");
  await broken.reload();
  await broken.locator("#status", { hasText: /^(Done|Stopped)/ }).waitFor({ timeout: 0 });
  await shot(broken, "phone-latency");
} finally {
  await browser.close();
  await served.close();
}
