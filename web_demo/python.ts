/** The project's Python, run from its root: PYTHON names it (default: python3). */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** This project's root, above this file and above what it was compiled to. */
export const ROOT = above(dirname(fileURLToPath(import.meta.url)));

function above(folder: string): string {
  return existsSync(join(folder, "pyproject.toml")) ? folder : above(dirname(folder));
}

/** A path as the user meant it: npm runs in web_demo/, wherever it was called. */
export const given = (path: string) => resolve(process.env.INIT_CWD ?? process.cwd(), path);

function start(args: string[], output: "pipe" | "ignore" | "inherit"): ChildProcess {
  const named = process.env.PYTHON ?? "python3";
  const PYTHONPATH = [ROOT, process.env.PYTHONPATH].filter(Boolean).join(":");
  const env = { ...process.env, PYTHONPATH, TF_CPP_MIN_LOG_LEVEL: "3" };
  return spawn(named.includes("/") ? given(named) : named, args, { cwd: ROOT, stdio: ["ignore", output, "inherit"], env });
}

/** Runs Python to its end; throws where it fails. */
export async function python(args: string[], output: "ignore" | "inherit" = "inherit"): Promise<void> {
  const [code] = await once(start(args, output), "exit");
  if (code !== 0) throw new Error(`python ${args[0]} ended with ${code}; it needs tfflow[export], in the Python of PYTHON`);
}

export interface Served {
  address: string;
  close(): Promise<void>;
}

/** `python -m tfflow.web` of these models, listening. */
export async function serve(models: string[]): Promise<Served> {
  const server = start(["-m", "tfflow.web", "--port", "0", "--model", ...models], "pipe");
  const ended = once(server, "exit");
  const lines = createInterface({ input: server.stdout! });
  const [line] = await Promise.race([once(lines, "line"), ended.then(() => [""])]);
  const address = /^http:\S+/.exec(`${line}`)?.[0];
  if (!address) throw new Error("python -m tfflow.web did not start");
  return {
    address,
    async close() {
      server.kill();
      await ended;
    },
  };
}
