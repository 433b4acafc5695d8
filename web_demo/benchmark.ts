/** `npm run benchmark -- MODEL [MODEL ...]`: latency in Chromium, beside the desktop runtime's, in one table. */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { launch } from "./chromium.ts";
import { given, python, serve } from "./python.ts";

/** The table of `benchmark.html`, its heads first, and the browser's version. */
async function inBrowser(models: string[], runs: number): Promise<{ rows: string[][]; version: string }> {
  const served = await serve(models);
  const browser = await launch();
  try {
    const page = await browser.newPage();
    await page.goto(`${served.address}benchmark.html?runs=${runs}`);
    const status = page.locator("#status", { hasText: /^(Done|Stopped)/ });
    await status.waitFor({ timeout: 0 });
    const text = (await status.textContent()) ?? "";
    if (text.startsWith("Stopped")) throw new Error(text);
    const rows = await page.locator("tr").evaluateAll((found) =>
      found.map((row) => [...row.children].map((cell) => cell.textContent ?? "")),
    );
    return { rows, version: browser.version() };
  } finally {
    await browser.close();
    await served.close();
  }
}

/** [median, 90th percentile], ms, for each number of threads, by model, from the project's own benchmark. */
async function onDesktop(models: string[], threads: number[], runs: number): Promise<[number, number][][]> {
  const folder = mkdtempSync(join(tmpdir(), "tfflow-benchmark-"));
  const json = join(folder, "desktop.json");
  try {
    const options = ["--threads", threads.join(","), "--runs", `${runs}`, "--json", json];
    await python(["export/benchmark.py", ...models, ...options], "ignore");
    const { ms } = JSON.parse(readFileSync(json, "utf8"));
    return Object.values<[number, number][]>(ms).slice(0, models.length); // in the order given; then OpenCV's
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: "string", default: "50" } },
});
const runs = Number(values.runs);
if (!positionals.length || !Number.isInteger(runs) || runs < 1) {
  console.error("usage: npm run benchmark -- [--runs N] MODEL [MODEL ...], .tflite files or folders of exports");
  process.exit(2);
}
const models = positionals.map(given);
const cores = availableParallelism();
const threads = cores > 1 ? [1, Math.min(4, cores)] : [1]; // as the page has them
const before = loadavg()[0];
const { rows, version } = await inBrowser(models, runs);
const desktop = await onDesktop(models, threads, runs);
const [[, ...heads], ...networks] = rows;
heads.push(...threads.map((n) => `desktop, ${n} thread${n > 1 ? "s" : ""}`));
console.log(`| ms: median (p90) of ${runs} warm runs | ${heads.join(" | ")} |`);
console.log(`| --- | ${heads.map(() => "---:").join(" | ")} |`);
for (const [i, row] of networks.entries()) {
  const cells = desktop[i].map(([median, p90]) => `${median.toFixed(1)} (${p90.toFixed(1)})`);
  console.log(`| ${[...row, ...cells].join(" | ")} |`);
}
const load = [before, loadavg()[0]].map((x) => x.toFixed(1));
console.log(
  `\nChromium ${version}; ${cpus()[0].model}, ${cores} cores; ` +
    `load of the last minute ${load[0]} at the start and ${load[1]} at the end.`,
);
