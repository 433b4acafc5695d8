/** `npm start -- MODEL [MODEL ...] [--port N]`: builds the site and serves it, with the headers that threads need. */

import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { HERE, Usage, build, command, given } from "./build.js";

const TYPES = {
  ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".json": "application/json",
  ".wasm": "application/wasm", ".tflite": "application/octet-stream",
}; // prettier-ignore
// Without these two a browser gives a page no shared memory, and WebAssembly no threads.
const ISOLATED = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

/** Serves a folder on localhost; resolves with {address, close} once it listens. isolated: with the headers. */
export function serve(folder, { port = 0, isolated = true } = {}) {
  const server = createServer((request, response) => {
    const path = fileOf(folder, request.url);
    const found = path && statSync(path, { throwIfNoEntry: false });
    if (!found?.isFile() || !["GET", "HEAD"].includes(request.method)) {
      response.writeHead(404, isolated ? ISOLATED : {}).end("not found\n");
      return;
    }
    response.writeHead(200, {
      "Content-Type": TYPES[extname(path)] ?? "application/octet-stream",
      "Content-Length": found.size,
      "Cache-Control": "no-cache",
      ...(isolated ? ISOLATED : {}),
    });
    if (request.method === "HEAD") response.end();
    else createReadStream(path).on("error", () => response.destroy()).pipe(response);
  });
  return new Promise((done, failed) => {
    server.on("error", (error) =>
      failed(error.code === "EADDRINUSE" ? new Usage(`port ${port} is taken: choose another with --port`) : error),
    );
    server.listen(port, "localhost", () => {
      const close = () => new Promise((closed) => (server.closeAllConnections(), server.close(closed)));
      done({ address: `http://localhost:${server.address().port}/`, close });
    });
  });
}

/** The file of a request inside `folder`, or null where it is none or leads out of it. */
function fileOf(folder, url) {
  try {
    const name = decodeURIComponent(new URL(url, "http://localhost").pathname);
    const path = resolve(join(folder, name.endsWith("/") ? `${name}index.html` : name));
    return path.startsWith(resolve(folder) + sep) ? path : null;
  } catch {
    return null;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await command(async () => {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { port: { type: "string", default: "8080" } },
    });
    const port = Number(values.port);
    if (!Number.isInteger(port) || port < 0 || port > 65535) {
      throw new Usage(`--port must be 0 to 65535, got ${values.port}`);
    }
    const site = join(HERE, "site");
    const models = build(site, positionals.map(given));
    const { address } = await serve(site, { port });
    console.log(`${address} shows ${models.length || "no"} model${models.length === 1 ? "" : "s"}; Ctrl-C ends it`);
  });
}
