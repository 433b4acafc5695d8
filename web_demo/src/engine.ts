/** The page's side of a network that runs in a worker. */

import { Refusal } from "./refusal.ts";
import type { Answer, Manifest, Model, Place, Request, Result, Values } from "./types.ts";

interface Options {
  /** Whether it may be tried. */
  webgpu?: boolean;
  /** Of WebAssembly. */
  threads?: number;
  /** Told why, when WebGPU goes away; the engine is of no use then. */
  onLost?: (why: string) => void;
}

type Asked = Request extends infer R ? (R extends Request ? Omit<R, "id"> : never) : never;
interface Waiting {
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

/** How many threads WebAssembly gets where nobody said: none but one without the headers of a cross-origin isolation. */
export function defaultThreads(): number {
  return globalThis.crossOriginIsolated ? Math.min(4, navigator.hardwareConcurrency || 1) : 1;
}

/** One network, ready to run. */
export class Engine {
  place: Place = { backend: "wasm", threads: 1, note: "" };
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #count = 0;

  /** Throws Refusal where no back end takes the model. */
  static async open(model: Model, options: Options = {}): Promise<Engine> {
    const { webgpu = true, onLost = () => {} } = options;
    const threads = globalThis.crossOriginIsolated ? (options.threads ?? defaultThreads()) : 1;
    const engine = new Engine(model.manifest, onLost);
    try {
      const answer = await engine.#ask({ open: { ...model, webgpu, threads } });
      if ("place" in answer) engine.place = answer.place;
      return engine;
    } catch (error) {
      engine.close();
      if (error instanceof Refusal) throw error;
      const { message } = error as Error;
      if (webgpu) {
        const next = await Engine.open(model, { webgpu: false, threads }); // a crash may have been the GPU's
        next.place.note = `WebGPU failed (${message})`;
        return next;
      }
      throw new Refusal(`LiteRT.js cannot start: ${message}. A current Chrome, Edge, Firefox or Safari is needed`);
    }
  }

  private constructor(
    readonly manifest: Manifest,
    onLost: (why: string) => void,
  ) {
    this.#worker = new Worker(new URL("./worker.ts", import.meta.url));
    this.#worker.addEventListener("message", ({ data }: MessageEvent<Answer>) => {
      if ("lost" in data) return onLost(data.lost);
      const asked = this.#waiting.get(data.id);
      this.#waiting.delete(data.id);
      if ("refused" in data) asked?.reject(new Refusal(data.refused));
      else if ("failed" in data) asked?.reject(new Error(data.failed));
      else asked?.resolve(data);
    });
    this.#worker.addEventListener("error", (event) => this.#fail(new Error(event.message || "its worker stopped")));
  }

  /** inputs: by name, as the manifest describes them. */
  async run(inputs: Record<string, Values>): Promise<Result> {
    const answer = await this.#ask({ run: inputs });
    if (!("result" in answer)) throw new Error("the network's worker answered something else");
    return answer.result;
  }

  close(): void {
    this.#worker.terminate();
    this.#fail(new Error("closed"));
  }

  #ask(message: Asked): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const id = ++this.#count;
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, ...message });
    });
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
