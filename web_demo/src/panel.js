/** One network on the page: its flow in colours, its latency, its back end. */

import { flowToColour } from "./colour.js";
import { floFile, resized, toFramePixels, toInput } from "./resize.js";
import { Latency } from "./timing.js";

const FLOW = "flow12";

export class Panel {
  #latency = new Latency();
  #frame = null;
  #heap = 0;
  flow = null; // {data, width, height}: px of the frames, on the network's grid

  constructor(engine, template, place) {
    this.engine = engine;
    this.root = template.content.firstElementChild.cloneNode(true);
    this.canvas = this.root.querySelector("canvas");
    const { network, precision, inputs, parameters } = engine.manifest;
    const [, height, width] = inputs[0].shape;
    this.#text("name", `${precision}: ${network}, ${width}x${height}, ${(parameters / 1e6).toFixed(1)} M parameters`);
    const where = engine.backend === "webgpu" ? "WebGPU" : `WebAssembly, ${engine.threads} thread${engine.threads > 1 ? "s" : ""}`;
    this.#text("backend", engine.note ? `${where}; ${engine.note}` : where);
    this.root.querySelector(".save").addEventListener("click", () => this.#save());
    place.append(this.root);
  }

  /** Runs a pair, frames by the names of inputs; `paint` then shows it. */
  async run(frames) {
    const { inputs, outputs } = this.engine.manifest;
    const values = Object.fromEntries(inputs.map((input) => [input.name, toInput(frames[input.name], input)]));
    const result = await this.engine.run(values);
    const [, height, width] = outputs.find((output) => output.name === FLOW).shape;
    const [, imageHeight, imageWidth] = inputs[0].shape;
    this.#frame = { width: frames.image1.width, height: frames.image1.height };
    const data = toFramePixels(result.values[FLOW], { width: imageWidth, height: imageHeight }, this.#frame);
    this.flow = { data, width, height };
    this.#latency.add(result.milliseconds);
    this.#heap = result.heap;
  }

  /** scale: px of the frames at the wheel's rim. */
  paint(scale) {
    if (!this.flow) return;
    this.#text("latency", String(this.#latency));
    this.#text("flow", `mean flow ${meanLength(this.flow.data).toFixed(2)} px`);
    this.#text("memory", `${(this.#heap / 1e6).toFixed(0)} MB`);
    this.root.querySelector(".save").disabled = false;
    const { data, width, height } = this.flow;
    if (this.canvas.width !== width || this.canvas.height !== height) Object.assign(this.canvas, { width, height });
    this.canvas.style.setProperty("--aspect", this.#frame.width / this.#frame.height);
    this.canvas.getContext("2d").putImageData(new ImageData(flowToColour(data, scale), width, height), 0, 0);
  }

  close() {
    this.engine.close();
    this.root.remove();
  }

  /** The flow at the size of the frames, as a file. */
  #save() {
    const data = resized(this.flow.data, this.flow, this.#frame, 2);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(floFile({ data, ...this.#frame }));
    link.download = `${this.engine.manifest.precision}.flo`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  #text(name, text) {
    this.root.querySelector(`.${name}`).textContent = text;
  }
}

function meanLength(flow) {
  let sum = 0;
  for (let i = 0; i < flow.length; i += 2) sum += Math.hypot(flow[i], flow[i + 1]);
  return sum / (flow.length / 2);
}
