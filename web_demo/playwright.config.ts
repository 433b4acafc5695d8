/** `npm test`: the page in Debian's Chromium, against what `test/vectors.py` makes. */

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig } from "@playwright/test";

// The folder of an earlier `vectors.py`, while working on the page; else one of this run, which its workers inherit.
if (!process.env.TFFLOW_WEB_VECTORS) {
  process.env.TFFLOW_WEB_VECTORS = mkdtempSync(join(tmpdir(), "tfflow-web-"));
  process.env.TFFLOW_WEB_MAKE_VECTORS = "yes";
}

export default defineConfig({
  testDir: "test",
  globalSetup: "./test/setup.ts",
  workers: 1, // one browser, one page for most of the tests
  timeout: 180_000,
  expect: { timeout: 60_000 },
  reporter: [["list"]],
  forbidOnly: true,
  retries: 1, // a camera stalls where the machine does; what passes at the second time is listed as flaky
});
