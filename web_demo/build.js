/** `npm run build -- [MODEL ...] [--out DIR]`: the whole site in one folder, for any static server. */

import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

export const HERE = dirname(fileURLToPath(import.meta.url));
export class Usage extends Error {}

/** A path as the user meant it: npm runs in this folder, wherever it was called. */
export const given = (path) => resolve(process.env.INIT_CWD ?? process.cwd(), path);

/** Writes the site into `out` (emptied first). models: files model.json, or folders of exports. */
export function build(out, models) {
  const found = models.flatMap(manifestsIn);
  const runtime = join(HERE, "node_modules", "@litertjs");
  if (!existsSync(join(runtime, "core", "wasm"))) throw new Usage("LiteRT.js is not here: run `npm ci` first");
  if (existsSync(out) && readdirSync(out).length && !existsSync(join(out, "models.json"))) {
    throw new Usage(`${out} holds something else than an earlier site: choose another --out`);
  }
  rmSync(out, { recursive: true, force: true });
  mkdirSync(join(out, "litert"), { recursive: true });
  for (const name of ["index.html", "style.css", "src"]) cpSync(join(HERE, name), join(out, name), { recursive: true });
  cpSync(join(HERE, "..", "tfflow", "export", "manifest.schema.json"), join(out, "manifest.schema.json"));
  cpSync(join(runtime, "core", "wasm"), join(out, "litert", "wasm"), { recursive: true });
  cpSync(join(runtime, "wasm-utils", "dist", "index.js"), join(out, "litert", "wasm-utils.js"));
  // A worker has no import map, so the one name of a package becomes a path.
  const core = readFileSync(join(runtime, "core", "dist", "index.js"), "utf8").split('from "@litertjs/wasm-utils"');
  if (core.length !== 2) throw new Error("@litertjs/core imports its helper otherwise than build.js knows");
  writeFileSync(join(out, "litert", "core.js"), core.join('from "./wasm-utils.js"'));
  const places = found.map((path, i) => {
    const place = join("models", `${i}-${basename(dirname(path))}`);
    cpSync(path, join(out, place, "model.json"));
    const file = join(dirname(path), fileOf(path));
    if (existsSync(file)) cpSync(file, join(out, place, basename(file)));
    return `${place}/model.json`;
  });
  writeFileSync(join(out, "models.json"), JSON.stringify(places));
  return places;
}

/** A manifest, the one in a folder, or those in the folders of a ladder. */
function manifestsIn(path) {
  if (!existsSync(path)) throw new Usage(`no such model: ${path}`);
  if (statSync(path).isFile()) return [path];
  const here = join(path, "model.json");
  if (existsSync(here)) return [here];
  const below = readdirSync(path).sort().map((name) => join(path, name, "model.json")).filter(existsSync); // prettier-ignore
  if (!below.length) throw new Usage(`${path} holds no model.json: give the --out of export/to_tflite.py`);
  return below;
}

/** The file that a manifest names; the page says what is wrong with a manifest that names none. */
function fileOf(path) {
  try {
    return basename(JSON.parse(readFileSync(path, "utf8")).file);
  } catch {
    return "model.tflite";
  }
}

/** Runs a command; what the user can help is one line and exit code 2. */
export async function command(main) {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof Usage) && error.code !== "ERR_PARSE_ARGS_UNKNOWN_OPTION") throw error;
    console.error(`tfflow web demo: ${error.message}`);
    process.exit(2);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await command(() => {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { out: { type: "string", default: join(HERE, "site") } },
    });
    const places = build(given(values.out), positionals.map(given));
    console.log(`${values.out}: the page and ${places.length} model${places.length === 1 ? "" : "s"}`);
  });
}
