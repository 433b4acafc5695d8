/** `benchmark.html`: how long each network of the site takes in this browser, at one thread and at several. */

import { inside } from "./dom.ts";
import { Engine, defaultThreads } from "./engine.ts";
import { siteModels } from "./models.ts";
import { Latency } from "./timing.ts";
import type { Manifest, Model, Values } from "./types.ts";

const WARM_UP = 5;
const runs = Math.max(1, Math.floor(Number(new URLSearchParams(location.search).get("runs")) || 50));
const several = defaultThreads();
const counts = several > 1 ? [1, several] : [1];
const status = inside(document, "#status");
const table = inside<HTMLTableElement>(document, "table");

function line(texts: string[], tag: "th" | "td"): void {
  const row = table.insertRow();
  for (const text of texts) row.append(Object.assign(document.createElement(tag), { textContent: text }));
}

/** Pairs of noise, each value of the input's range as likely as another. */
function noise({ inputs }: Manifest): Record<string, Values> {
  const made = inputs.map(({ name, shape, type, range: [low, high] }): [string, Values] => {
    const data = new (type === "uint8" ? Uint8Array : Float32Array)(shape.reduce((a, b) => a * b));
    return [name, data.map(() => low + Math.random() * (high - low))];
  });
  return Object.fromEntries(made);
}

/** "median (90th percentile)" of warm runs, ms. */
async function measured(model: Model, threads: number): Promise<string> {
  const engine = await Engine.open(model, { webgpu: false, threads });
  const latency = new Latency(runs);
  try {
    if (engine.place.threads !== threads) return engine.place.note;
    const inputs = noise(model.manifest);
    for (let i = 0; i < WARM_UP + runs; i++) latency.add((await engine.run(inputs)).milliseconds);
  } finally {
    engine.close();
  }
  return `${latency.percentile(50).toFixed(1)} (${latency.percentile(90).toFixed(1)})`;
}

try {
  line(["network", ...counts.map((n) => `WebAssembly, ${n} thread${n > 1 ? "s" : ""}`)], "th");
  for (const model of await siteModels()) {
    const { network, precision, inputs } = model.manifest;
    const name = `${network} ${inputs[0].shape[1]}x${inputs[0].shape[2]}, ${precision}`;
    const cells: string[] = [];
    for (const n of counts) {
      status.textContent = `Measuring ${name} on ${n} thread${n > 1 ? "s" : ""} …`;
      cells.push(await measured(model, n));
    }
    line([name, ...cells], "td");
  }
  status.textContent = `Done. In ms: median (90th percentile) of ${runs} warm runs on pairs of noise.`;
} catch (error) {
  status.textContent = `Stopped: ${(error as Error).message}`;
}
