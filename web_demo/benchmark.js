/** `npm run benchmark -- MODEL [MODEL ...]`: latency in Chromium, beside the desktop runtime's, in one table. */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, cpus, loadavg, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { Usage, command, given } from "./build.js";
import { python } from "./python.js";
import { percentile } from "./src/colour.js";
import { launch, open, site } from "./test/browser.js";

const WARM_UP = 5;

/** Milliseconds of `runs` pairs of noise through the n-th model of the page's site. */
const inBrowser = (page, path, threads, runs) =>
  page.evaluate(
    async ([path, threads, runs]) => {
      const { Engine } = await import("./src/engine.js");
      const { siteModel, fetchSchema } = await import("./src/models.js");
      const { manifest, bytes } = await siteModel(path, await fetchSchema());
      const engine = await Engine.open(manifest, bytes, { webgpu: false, threads });
      if (engine.threads !== threads) throw new Error(`${engine.threads} threads came, ${threads} were asked for`);
      const inputs = Object.fromEntries(
        manifest.inputs.map(({ name, shape, type, range }) => {
          const data = new (type === "uint8" ? Uint8Array : Float32Array)(shape.reduce((a, b) => a * b));
          return [name, data.map(() => range[0] + Math.random() * (range[1] - range[0]))];
        }),
      );
      const times = [];
      for (let i = 0; i < runs; i++) times.push((await engine.run(inputs)).milliseconds);
      engine.close();
      return times;
    },
    [path, threads, WARM_UP + runs],
  );

/** [median, p90] for each number of threads, by file, from the project's own benchmark. */
function onDesktop(files, threads, runs) {
  const folder = mkdtempSync(join(tmpdir(), "tfflow-benchmark-"));
  const json = join(folder, "desktop.json");
  const args = ["export/benchmark.py", ...files, "--threads", threads.join(","), "--runs", `${runs}`, "--json", json];
  const done = python(args, ["ignore", "ignore", "inherit"]);
  if (done.status !== 0) {
    throw new Usage("export/benchmark.py did not run: pip install -e '.[export]', and name that Python in PYTHON");
  }
  const { ms } = JSON.parse(readFileSync(json, "utf8"));
  rmSync(folder, { recursive: true });
  return ms;
}

await command(async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { runs: { type: "string", default: "50" } },
  });
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1) throw new Usage(`--runs must be a whole number above 0, got ${values.runs}`);
  if (!positionals.length) throw new Usage("name the folders of exports, or that of a ladder");
  const cores = availableParallelism();
  const threads = cores > 1 ? [1, Math.min(4, cores)] : [1];
  const before = loadavg()[0];
  const served = await site(positionals.map(given));
  const browser = await launch();
  const version = browser.version();
  const rows = [];
  try {
    const page = await open(browser, served.address);
    const places = await page.evaluate(async () => (await fetch("models.json")).json());
    for (const place of places) {
      const manifest = JSON.parse(readFileSync(join(served.folder, place), "utf8"));
      const times = [];
      for (const n of threads) times.push((await inBrowser(page, place, n, runs)).slice(WARM_UP));
      rows.push({ manifest, times, file: join(served.folder, dirname(place), manifest.file) });
    }
  } finally {
    await browser.close();
    await served.close();
  }
  const desktop = onDesktop(rows.map((row) => row.file), threads, runs);
  rmSync(served.folder, { recursive: true });
  const cell = ([median, p90]) => `${median.toFixed(1)} (${p90.toFixed(1)})`;
  const heads = ["WebAssembly", "desktop"].flatMap((where) => threads.map((n) => `${where}, ${n} thread${n > 1 ? "s" : ""}`)); // prettier-ignore
  console.log(`| ms: median (p90) of ${runs} warm runs | ${heads.join(" | ")} |`);
  console.log(`| --- | ${heads.map(() => "---:").join(" | ")} |`);
  for (const { manifest, times, file } of rows) {
    const [, height, width] = manifest.inputs[0].shape;
    const cells = [...times.map((t) => cell([percentile(t, 50), percentile(t, 90)])), ...desktop[file].map(cell)];
    console.log(`| ${manifest.network} ${height}x${width}, ${manifest.precision} | ${cells.join(" | ")} |`);
  }
  console.log(
    `\nChromium ${version}; ${cpus()[0].model}, ${cores} cores; load of the last minute ` +
      `${before.toFixed(1)} at the start and ${loadavg()[0].toFixed(1)} at the end.`,
  );
});
