/** The project's Python, run from its root. */

import { spawnSync } from "node:child_process";
import { dirname } from "node:path";
import { HERE, given } from "./build.js";

/** Runs PYTHON, a name or a path (default: python3), with tfflow importable -> what spawnSync gives. */
export function python(args, stdio) {
  const named = process.env.PYTHON ?? "python3";
  const root = dirname(HERE);
  const paths = [root, process.env.PYTHONPATH].filter(Boolean).join(":");
  const env = { ...process.env, PYTHONPATH: paths, TF_CPP_MIN_LOG_LEVEL: "3" };
  return spawnSync(named.includes("/") ? given(named) : named, args, { cwd: root, stdio, env });
}
