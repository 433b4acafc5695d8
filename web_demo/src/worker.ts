/**
 * One network in LiteRT.js, off the page's thread; `Request` and `Answer` are its messages.
 *
 * A classic worker, since LiteRT.js loads its WebAssembly by importScripts, which module workers do not have.
 */

import { getDefaultEnvironment, loadAndCompile, loadLiteRt, supportsFeature, Tensor } from "@litertjs/core";
import type { Answer, ImageInput, Manifest, Model, Place, Request, Result, Shape, Values } from "./types.ts";

declare const self: DedicatedWorkerGlobalScope & { Module?: object };

type Compiled = Awaited<ReturnType<typeof loadAndCompile>>;

/** Mean distance, px, up to which WebGPU's flow is taken for that of the same file on WebAssembly. */
const AGREE = 0.1;

class Refused extends Error {}

const words = (error: unknown) => String((error as Error | undefined)?.message ?? error);

/** A compiled network, with what is needed to run it. */
class Network {
  constructor(
    readonly compiled: Compiled,
    readonly manifest: Manifest,
  ) {
    const found = compiled.signatures[manifest.signature];
    const again = "export the network again";
    if (!found) {
      throw new Refused(
        `${manifest.file} has no signature ${manifest.signature}, which its model.json names: ${again}`,
      );
    }
    const describe = (name: string, type: string, shape: ArrayLike<number>) =>
      `${name} ${type} [${Array.from(shape).join(", ")}]`;
    for (const [wanted, real] of [
      [manifest.inputs, found.getInputDetails()],
      [manifest.outputs, found.getOutputDetails()],
    ] as const) {
      const there = real.map((tensor) => describe(tensor.name, tensor.dtype, tensor.shape));
      const missing = wanted.map((t) => describe(t.name, t.type, t.shape)).filter((text) => !there.includes(text));
      if (missing.length) {
        throw new Refused(
          `${manifest.file} has ${there.join(", ")}, but its model.json says ${missing.join(", ")}: ${again}`,
        );
      }
    }
  }

  /** Inputs and outputs by the names of the signature: their order in a file is not that of the manifest. */
  async run(inputs: Record<string, Values>): Promise<Result["values"]> {
    const shapes = new Map<string, Shape>(this.manifest.inputs.map(({ name, shape }) => [name, shape]));
    const tensors: Record<string, Tensor> = {};
    let results: Record<string, Tensor> = {};
    try {
      for (const [name, data] of Object.entries(inputs)) tensors[name] = new Tensor(data, shapes.get(name));
      results = await this.compiled.run(this.manifest.signature, tensors);
      const values: Result["values"] = {};
      for (const [name, tensor] of Object.entries(results)) {
        values[name] = (await tensor.data()) as Float32Array<ArrayBuffer>;
      }
      return values;
    } finally {
      for (const tensor of [...Object.values(tensors), ...Object.values(results)]) tensor.delete();
    }
  }
}

let network: Network;
let memory: { readonly buffer: ArrayBufferLike };

async function open({ bytes, manifest, webgpu, threads }: Extract<Request, { open: unknown }>["open"]): Promise<Place> {
  const notes: string[] = [];
  if (threads > 1 && !((await supportsFeature("threads")) && (await supportsFeature("relaxedSimd")))) {
    threads = 1;
    notes.push("this browser has no threads for LiteRT.js");
  }
  await start(threads, webgpu);
  const device = getDefaultEnvironment().webGpuDevice;
  const options = { accelerator: "wasm", cpuOptions: { numThreads: threads } } as const;
  const onCpu = async () => new Network(await refusing(loadAndCompile(bytes, options), manifest), manifest);
  if (webgpu && !device) notes.push("WebGPU is not here");
  if (webgpu && device) {
    const fast = await onGpu({ manifest, bytes });
    if (typeof fast === "string") notes.push(fast);
    else {
      const slow = await onCpu();
      const distance = await apart(fast, slow);
      if (distance <= AGREE) {
        slow.compiled.delete();
        network = fast;
        void device.lost.then(({ message }) => post({ lost: message || "the browser took it back" }));
        return { backend: "webgpu", threads: 0, note: `agrees with WebAssembly to ${distance.toFixed(3)} px` };
      }
      notes.push(`WebGPU gives another flow (${distance.toFixed(2)} px away)`);
      fast.compiled.delete();
      network = slow;
    }
  }
  network ??= await onCpu();
  await refusing(network.run(filled(manifest, () => 0)), manifest); // the first run allocates
  return { backend: "wasm", threads, note: notes.join("; ") };
}

/** Loads LiteRT.js' WebAssembly from this site. */
async function start(threads: number, webgpu: boolean) {
  const place = new URL("../litert/", self.location.href);
  self.Module = {
    locateFile: (name: string) => new URL(name, place).href,
    // Where threads start: emscripten would take this worker's own address.
    mainScriptUrlOrBlob: new URL("litert_wasm_threaded_internal.js", place).href,
  };
  const warn = console.warn;
  if (!webgpu) console.warn = () => {}; // it warns of WebGPU even where nobody asked for it
  const { liteRtWasm } = await loadLiteRt(place.href, { threads: threads > 1 });
  console.warn = warn;
  memory = { get buffer() { return liteRtWasm.HEAPU8.buffer; } }; // prettier-ignore
}

/** The network on WebGPU, or why it is not there. */
async function onGpu({ bytes, manifest }: Model): Promise<Network | string> {
  try {
    // Positions to sample at need float32: in float16, px beyond 256 are known to a quarter only.
    const compiled = await loadAndCompile(bytes, { accelerator: "webgpu", gpuOptions: { precision: "fp32" } });
    if (compiled.options.accelerator === "webgpu" && compiled.isFullyAccelerated) return new Network(compiled, manifest);
    compiled.delete();
    return "WebGPU does not take all operators of this model";
  } catch (error) {
    if (error instanceof Refused) throw error;
    return `WebGPU does not take this model (${words(error)})`;
  }
}

async function refusing<T>(action: Promise<T>, manifest: Manifest): Promise<T> {
  try {
    return await action;
  } catch (error) {
    throw new Refused(`the runtime does not take ${manifest.file} (${words(error)}): export the network again`);
  }
}

/** Inputs by name; value: between 0 and 1 of the range, of column, row, and place of the input. */
function filled({ inputs }: Manifest, value: (x: number, y: number, input: number) => number): Record<string, Values> {
  const values = ({ type, range: [low, high], shape: [, height, width, channels] }: ImageInput, i: number): Values => {
    const data = new (type === "uint8" ? Uint8Array : Float32Array)(height * width * channels);
    for (let k = 0; k < data.length; k++) {
      const pixel = Math.floor(k / channels);
      data[k] = low + (high - low) * value(pixel % width, Math.floor(pixel / width), i);
    }
    return data;
  };
  return Object.fromEntries(inputs.map((input, i) => [input.name, values(input, i)]));
}

/** Mean distance, px, of the flows that two networks give for waves that move by two columns. */
async function apart(first: Network, second: Network): Promise<number> {
  const { manifest } = first;
  const wave = (x: number, y: number) => 0.5 + 0.25 * Math.sin(x / 3) + 0.25 * Math.sin((x + 3 * y) / 7);
  const inputs = filled(manifest, (x, y, i) => wave(x - 2 * i, y));
  const name = manifest.outputs[0].name;
  const a = (await first.run(inputs))[name];
  const b = (await second.run(inputs))[name];
  let sum = 0;
  for (let i = 0; i < a.length; i += 2) sum += Math.hypot(a[i] - b[i], a[i + 1] - b[i + 1]);
  return sum / (a.length / 2);
}

async function run(inputs: Record<string, Values>): Promise<Result> {
  const started = performance.now();
  const values = await network.run(inputs);
  return { milliseconds: performance.now() - started, heap: memory.buffer.byteLength, values };
}

const post = (answer: Answer, transfer: Transferable[] = []) => self.postMessage(answer, transfer);

self.onmessage = async ({ data }: MessageEvent<Request>) => {
  const { id } = data;
  try {
    if ("open" in data) return post({ id, place: await open(data.open) });
    const result = await run(data.run);
    post({ id, result }, Object.values(result.values).map((array) => array.buffer)); // prettier-ignore
  } catch (error) {
    post(error instanceof Refused ? { id, refused: error.message } : { id, failed: words(error) });
  }
};
