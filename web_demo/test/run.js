/** `npm test`: makes the vectors with Python, then runs the tests on them. */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(here));
const given = process.env.TFFLOW_WEB_VECTORS; // of an earlier `vectors.py`, while working on the page
const vectors = given ?? mkdtempSync(join(tmpdir(), "tfflow-web-"));

function step(program, args, env = {}) {
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: "inherit", env: { ...process.env, ...env } });
  if (error) console.error(`${program}: ${error.message}`);
  return status ?? 1;
}

const python = process.env.PYTHON ?? "python3";
const paths = { PYTHONPATH: [root, process.env.PYTHONPATH].filter(Boolean).join(":"), TF_CPP_MIN_LOG_LEVEL: "3" };
let status = given ? 0 : step(python, [join(here, "vectors.py"), vectors], paths);
if (status) {
  console.error(`the tests need tfflow with its export: pip install -e '.[export]', and name that Python in PYTHON`);
} else {
  const files = readdirSync(here).filter((name) => name.endsWith(".test.js"));
  const args = ["--test", "--test-concurrency=1", ...process.argv.slice(2), ...files.map((name) => join(here, name))];
  status = step(process.execPath, args, { TFFLOW_WEB_VECTORS: vectors });
}
if (!given) rmSync(vectors, { recursive: true });
process.exit(status);
