/** docs/snippets/flow.js, as it stands there, in Chromium: it gives the desktop's flow. */

import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, extname, join } from "node:path";
import { expect, test } from "@playwright/test";
import { launch } from "../chromium.ts";
import { ROOT } from "../python.ts";
import { distance, floats, path } from "./desktop.ts";

const require = createRequire(import.meta.url);
const core = join(dirname(require.resolve("@litertjs/core")), "..");
/** Folders of the addresses that the test's page asks for. */
const PLACES: Record<string, string> = {
  core: join(core, "dist"),
  wasm: join(core, "wasm"),
  utils: dirname(createRequire(join(core, "x")).resolve("@litertjs/wasm-utils")),
  snippets: join(ROOT, "docs", "snippets"),
  made: path(),
};
const TYPES: Record<string, string> = { ".js": "text/javascript", ".wasm": "application/wasm", ".png": "image/png" };
const PAGE = `<!doctype html><script type="importmap">
  {"imports": {"@litertjs/core": "/core/index.js", "@litertjs/wasm-utils": "/utils/index.js"}}</script>`;

for (const model of ["fp32", "uint8"]) {
  test(`flow.js gives the desktop's flow: ${model}`, async () => {
    const browser = await launch();
    const page = await browser.newPage();
    await page.route("http://localhost:9/**", (route) => {
      const [, place, ...names] = new URL(route.request().url()).pathname.split("/");
      if (!place) return route.fulfill({ body: PAGE, contentType: "text/html" });
      const file = join(PLACES[place] ?? "/none", ...names);
      if (!existsSync(file)) return route.fulfill({ status: 404 });
      return route.fulfill({ body: readFileSync(file), contentType: TYPES[extname(file)] ?? "application/octet-stream" });
    });
    await page.goto("http://localhost:9/");
    const uv = await page.evaluate(async (model) => {
      const load = (address: string) => import(/* @vite-ignore */ address);
      const { loadLiteRt } = await load("/core/index.js");
      const { openFlow } = await load("/snippets/flow.js");
      await loadLiteRt("/wasm/", { threads: false });
      const { manifest, flow } = await openFlow(`/made/${model}/model.json`);
      const frames = [1, 2].map(async (n) => {
        const bitmap = await createImageBitmap(await (await fetch(`/made/equal${n}.png`)).blob());
        const [height, width] = manifest.resize.to;
        const context = new OffscreenCanvas(width, height).getContext("2d")!;
        context.drawImage(bitmap, 0, 0);
        return context.getImageData(0, 0, width, height);
      });
      return Array.from((await flow(...(await Promise.all(frames)))) as Float32Array);
    }, model);
    await browser.close();
    const expected = floats(`${model}-equal.f32`);
    expect(distance(uv, expected).largest, "px").toBeLessThan(1e-3);
    expect(distance(expected, new Float32Array(expected.length)).mean, "flow that is not zero").toBeGreaterThan(0.1);
  });
}
