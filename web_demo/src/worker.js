/**
 * One network in LiteRT.js, off the page's thread. Messages: {id, open} or {id, run}; answers: {id, value} or
 * {id, refused} or {id, failed}; and {lost}, when WebGPU is.
 *
 * A classic worker, since LiteRT.js loads its WebAssembly by importScripts, which module workers do not have.
 */

let litert; // the library
let wasm; // its WebAssembly module
let model; // compiled
let signature;

class Refused extends Error {}

async function open({ bytes, manifest, webgpu, threads }) {
  const place = new URL("../litert/wasm/", self.location);
  self.Module = {
    locateFile: (name) => new URL(name, place).href,
    // Where threads start: emscripten would take this worker's own address.
    mainScriptUrlOrBlob: new URL("litert_wasm_threaded_internal.js", place).href,
  };
  litert = await import("../litert/core.js");
  const warn = console.warn;
  if (!webgpu) console.warn = () => {}; // it warns of WebGPU even where nobody asked for it
  wasm = (await litert.loadLiteRt(place.href, { threads: threads > 1 })).liteRtWasm;
  console.warn = warn;
  const device = litert.getDefaultEnvironment().webGpuDevice;
  const onCpu = () => litert.loadAndCompile(bytes, { accelerator: "wasm", cpuOptions: { numThreads: threads } });
  let note = webgpu ? "WebGPU is not here" : "";
  let backend = "wasm";
  if (webgpu && device) {
    const fast = await onGpu(bytes);
    note = fast.note;
    if (fast.model) {
      const slow = checked(await onCpu(), manifest);
      model = checked(fast.model, manifest);
      const distance = await apart(model, slow, manifest);
      if (distance <= AGREE) {
        backend = "webgpu";
        note = `agrees with WebAssembly to ${distance.toFixed(3)} px`;
        slow.delete();
        device.lost.then(({ message }) => self.postMessage({ lost: message || "the browser took it back" }));
      } else {
        note = `WebGPU gives another flow (${distance.toFixed(2)} px away)`;
        model.delete();
        model = slow;
      }
    }
  }
  model ??= checked(await refusing(onCpu, manifest), manifest);
  signature = manifest.signature;
  const blank = ({ name, shape, type }) => [name, new (arrayOf(type))(shape.reduce((a, b) => a * b))];
  await refusing(() => runOn(model, signature, Object.fromEntries(manifest.inputs.map(blank)), shapesOf(manifest)), manifest);
  return { backend, threads: backend === "wasm" ? threads : 0, note };
}

/** Mean distance, px, up to which WebGPU's flow is taken for that of the same file on WebAssembly. */
const AGREE = 0.1;

async function onGpu(bytes) {
  try {
    // Positions to sample at need float32: in float16, px beyond 256 are known to a quarter only.
    const compiled = await litert.loadAndCompile(bytes, { accelerator: "webgpu", gpuOptions: { precision: "fp32" } });
    if (compiled.options.accelerator === "webgpu" && compiled.isFullyAccelerated) return { model: compiled };
    compiled.delete();
    return { note: "WebGPU does not take all operators of this model" };
  } catch (error) {
    return { note: `WebGPU does not take this model (${error.message ?? error})` };
  }
}

async function refusing(action, manifest) {
  try {
    return await action();
  } catch (error) {
    throw new Refused(`the runtime does not take ${manifest.file} (${error.message ?? error}): export the network again`);
  }
}

/** The compiled model, if its signature is the one that the manifest describes. */
function checked(compiled, manifest) {
  const found = compiled.signatures[manifest.signature];
  if (!found) {
    throw new Refused(
      `${manifest.file} has no signature ${manifest.signature}, which its model.json names: export the network again`,
    );
  }
  const describe = ({ name, dtype, type, shape }) => `${name} ${dtype ?? type} [${[...shape].join(", ")}]`;
  for (const [wanted, real] of [
    [manifest.inputs, found.getInputDetails()],
    [manifest.outputs, found.getOutputDetails()],
  ]) {
    const there = real.map(describe);
    const missing = wanted.map(describe).filter((text) => !there.includes(text));
    if (missing.length) {
      throw new Refused(
        `${manifest.file} has ${there.join(", ")}, but its model.json says ${missing.join(", ")}: export the network again`,
      );
    }
  }
  return compiled;
}

/** Mean distance, px, of the flows that two compiled models give for waves that move by two columns. */
async function apart(first, second, manifest) {
  const inputs = {};
  for (const [i, input] of manifest.inputs.entries()) {
    const [low, high] = input.range;
    const [, height, width, channels] = input.shape;
    const data = new (arrayOf(input.type))(height * width * channels);
    for (let k = 0; k < data.length; k++) {
      const pixel = Math.floor(k / channels);
      const x = (pixel % width) - 2 * i;
      const y = Math.floor(pixel / width);
      data[k] = low + (high - low) * (0.5 + 0.25 * Math.sin(x / 3) + 0.25 * Math.sin((x + 3 * y) / 7));
    }
    inputs[input.name] = data;
  }
  const flows = [];
  for (const compiled of [first, second]) {
    flows.push((await runOn(compiled, manifest.signature, inputs, shapesOf(manifest)))[manifest.outputs[0].name]);
  }
  let sum = 0;
  for (let i = 0; i < flows[0].length; i += 2) {
    sum += Math.hypot(flows[0][i] - flows[1][i], flows[0][i + 1] - flows[1][i + 1]);
  }
  return sum / (flows[0].length / 2);
}

const arrayOf = (type) => (type === "uint8" ? Uint8Array : Float32Array);
const shapesOf = (manifest) => Object.fromEntries(manifest.inputs.map(({ name, shape }) => [name, shape]));

/** Inputs and outputs by the names of the signature: their order in a file is not that of the manifest. */
async function runOn(compiled, signatureName, inputs, shapes) {
  const tensors = {};
  let results = {};
  try {
    for (const [name, data] of Object.entries(inputs)) tensors[name] = new litert.Tensor(data, shapes[name]);
    results = await compiled.run(signatureName, tensors);
    const values = {};
    for (const [name, tensor] of Object.entries(results)) values[name] = await tensor.data();
    return values;
  } finally {
    for (const tensor of [...Object.values(tensors), ...Object.values(results)]) tensor.delete();
  }
}

async function run({ inputs, shapes }) {
  const started = performance.now();
  const values = await runOn(model, signature, inputs, shapes);
  return { milliseconds: performance.now() - started, heap: wasm.HEAPU8.buffer.byteLength, values };
}

self.onmessage = async ({ data: { id, ...message } }) => {
  try {
    const value = message.open ? await open(message.open) : await run(message.run);
    self.postMessage({ id, value }, Object.values(value.values ?? {}).map((array) => array.buffer));
  } catch (error) {
    const text = String(error?.message ?? error);
    self.postMessage(error instanceof Refused ? { id, refused: text } : { id, failed: text });
  }
};
