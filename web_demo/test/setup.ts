/** Before the tests: the site is built, and Python says what they hold it against. */

import { rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "vite";
import { ROOT, python } from "../python.ts";
import { FOLDER } from "./desktop.ts";

export default async function setup(): Promise<() => void> {
  const make = process.env.TFFLOW_WEB_MAKE_VECTORS === "yes";
  const site = () => build({ root: join(ROOT, "web_demo"), logLevel: "error" });
  await Promise.all([make ? python(["web_demo/test/vectors.py", FOLDER], "ignore") : null, site()]);
  return () => {
    if (make) rmSync(FOLDER, { recursive: true });
  };
}
