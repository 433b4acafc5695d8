/** The site: two pages, a worker, LiteRT.js' WebAssembly; into the package, which serves it (tfflow/web.py). */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { defineConfig, type Plugin } from "vite";

/** With threads, without, and without relaxed SIMD; the fourth of the package, for WebGPU by JSPI, is not asked for. */
const RUNTIMES = ["threaded_internal", "internal", "compat_internal"];

function liteRt(): Plugin {
  const wasm = join(dirname(createRequire(import.meta.url).resolve("@litertjs/core")), "..", "wasm");
  return {
    name: "litert",
    generateBundle() {
      for (const runtime of RUNTIMES) {
        for (const kind of ["js", "wasm"]) {
          const name = `litert_wasm_${runtime}.${kind}`;
          this.emitFile({ type: "asset", fileName: `litert/${name}`, source: readFileSync(join(wasm, name)) });
        }
      }
      this.emitFile({ type: "asset", fileName: "models.json", source: "[]" }); // a server with models has its own
    },
  };
}

export default defineConfig({
  base: "./",
  plugins: [liteRt()],
  build: {
    outDir: "../tfflow/site",
    emptyOutDir: true,
    target: "es2022",
    minify: false, // 0.1 of 29 MB
    modulePreload: false,
    reportCompressedSize: false,
    rollupOptions: {
      input: { index: "index.html", benchmark: "benchmark.html", "serve-offline": "src/serve-offline.ts" },
      output: {
        // A service worker answers for what lies beside and below it.
        entryFileNames: ({ name }) => (name === "serve-offline" ? "[name].js" : "assets/[name]-[hash].js"),
      },
    },
  },
});
