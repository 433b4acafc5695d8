/** The page's side of a network that runs in a worker. */

import { Refusal } from "./refusal.js";

/** How many threads WebAssembly gets where nobody said: none but one without the headers of a cross-origin isolation. */
export function defaultThreads() {
  return globalThis.crossOriginIsolated ? Math.min(4, navigator.hardwareConcurrency || 1) : 1;
}

/** One network, ready to run. backend: "webgpu" or "wasm"; threads: of the latter; note: why not the former. */
export class Engine {
  #worker;
  #waiting = new Map();
  #count = 0;

  /**
   * webgpu: whether it may be tried. onLost: told why, when WebGPU goes away; the engine is of no use then.
   * Throws Refusal where no back end takes the model.
   */
  static async open(manifest, bytes, { webgpu = true, threads = defaultThreads(), onLost = () => {} } = {}) {
    if (threads > 1 && !globalThis.crossOriginIsolated) threads = 1;
    const engine = new Engine(manifest);
    engine.#worker.addEventListener("message", ({ data }) => data.lost && onLost(data.lost));
    try {
      Object.assign(engine, await engine.#ask({ open: { bytes, manifest, webgpu, threads } }));
      return engine;
    } catch (error) {
      engine.close();
      if (error instanceof Refusal) throw error;
      if (webgpu) {
        const next = await Engine.open(manifest, bytes, { webgpu: false, threads }); // a crash may have been the GPU's
        next.note = `WebGPU failed (${error.message})`;
        return next;
      }
      throw new Refusal(`LiteRT.js cannot start: ${error.message}. A current Chrome, Edge, Firefox or Safari is needed`);
    }
  }

  constructor(manifest) {
    this.manifest = manifest;
    this.shapes = Object.fromEntries(manifest.inputs.map(({ name, shape }) => [name, shape]));
    this.#worker = new Worker(new URL("worker.js", import.meta.url));
    this.#worker.addEventListener("message", ({ data }) => {
      const asked = this.#waiting.get(data.id);
      if (!asked) return;
      this.#waiting.delete(data.id);
      if ("value" in data) asked.resolve(data.value);
      else asked.reject("refused" in data ? new Refusal(data.refused) : new Error(data.failed));
    });
    this.#worker.addEventListener("error", (event) => this.#fail(new Error(event.message || "its worker stopped")));
  }

  /** inputs: typed arrays by name, as the manifest describes them -> {values: flows by name, milliseconds, heap in bytes}. */
  run(inputs) {
    return this.#ask({ run: { inputs, shapes: this.shapes } });
  }

  close() {
    this.#worker.terminate();
    this.#fail(new Error("closed"));
  }

  #ask(message) {
    return new Promise((resolve, reject) => {
      const id = ++this.#count;
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, ...message });
    });
  }

  #fail(error) {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
