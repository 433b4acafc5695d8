/** `npm test`: makes the vectors with Python, then runs the tests on them. */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { python } from "../python.js";

const here = dirname(fileURLToPath(import.meta.url));
const given = process.env.TFFLOW_WEB_VECTORS; // of an earlier `vectors.py`, while working on the page
const vectors = given ?? mkdtempSync(join(tmpdir(), "tfflow-web-"));

const made = given ? { status: 0 } : python([join(here, "vectors.py"), vectors], "inherit");
let status = made.status ?? 1;
if (status) {
  console.error("the tests need tfflow with its export: pip install -e '.[export]', and name that Python in PYTHON");
} else {
  const files = readdirSync(here).filter((name) => name.endsWith(".test.js"));
  const args = ["--test", "--test-concurrency=1", ...process.argv.slice(2), ...files.map((name) => join(here, name))];
  const env = { ...process.env, TFFLOW_WEB_VECTORS: vectors };
  status = spawnSync(process.execPath, args, { stdio: "inherit", env }).status ?? 1;
}
if (!given) rmSync(vectors, { recursive: true });
process.exit(status);
