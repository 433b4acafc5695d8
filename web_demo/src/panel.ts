/** One network on the page: its flow in colours, its latency, its back end. */

import { confidence, fade } from "./confidence.ts";
import { context2d, flowToColour } from "./colour.ts";
import { inside } from "./dom.ts";
import type { Engine } from "./engine.ts";
import { floFile, resized, toFramePixels, toInput } from "./resize.ts";
import { atRest } from "./still.ts";
import { Latency } from "./timing.ts";
import type { Flow, Size } from "./types.ts";

/** Confidence from which flow counts as trusted. */
export const SURE = 0.5;
const FLOW = "flow12";
const BACK = "flow21";

export class Panel {
  /** px of the frames, on the network's grid. */
  flow: Flow | null = null;
  /** Of each value of the flow, 0 to 1; null where the last run was without it. */
  sure: Float32Array | null = null;
  readonly #root: HTMLElement;
  readonly #canvas: HTMLCanvasElement;
  #latency = new Latency();
  #checked = false;
  #frame: Size = { width: 1, height: 1 };
  #heap = 0;

  constructor(
    readonly engine: Engine,
    template: HTMLTemplateElement,
    parent: HTMLElement,
  ) {
    const copy = template.content.cloneNode(true) as DocumentFragment;
    this.#root = inside(copy, "figure");
    this.#canvas = inside(copy, "canvas");
    const { network, precision, inputs, parameters } = engine.manifest;
    const [, height, width] = inputs[0].shape;
    this.#text("name", `${precision}: ${network}, ${width}x${height}, ${(parameters / 1e6).toFixed(1)} M parameters`);
    const { backend, threads, note } = engine.place;
    const where = backend === "webgpu" ? "WebGPU" : `WebAssembly, ${threads} thread${threads > 1 ? "s" : ""}`;
    this.#text("backend", note ? `${where}; ${note}` : where);
    inside(copy, "button.save").addEventListener("click", () => this.#save());
    parent.append(copy);
  }

  /**
   * Runs a pair, frames by the names of inputs; `paint` then shows it. check: with confidence, for which a network that
   * gives one direction runs a second time, with the frames exchanged.
   */
  async run(frames: Record<string, ImageData>, check: boolean): Promise<void> {
    const { inputs, outputs } = this.engine.manifest;
    const values = Object.fromEntries(inputs.map((input) => [input.name, toInput(frames[input.name], input)]));
    const result = await this.engine.run(values);
    let back = check ? result.values[BACK] : undefined;
    if (check && !back) {
      const swapped = await this.engine.run({ image1: values.image2, image2: values.image1 });
      back = swapped.values[FLOW];
      result.milliseconds += swapped.milliseconds;
    }
    if (check !== this.#checked) [this.#latency, this.#checked] = [new Latency(), check]; // of runs of one kind
    const output = outputs.find(({ name }) => name === FLOW) ?? outputs[0];
    const [, height, width] = output.shape;
    const [, imageHeight, imageWidth] = inputs[0].shape;
    this.#frame = { width: frames.image1.width, height: frames.image1.height };
    const images = { width: imageWidth, height: imageHeight };
    if (atRest(frames.image1, frames.image2)) for (const flow of [result.values[output.name], back]) flow?.fill(0);
    this.flow = { data: toFramePixels(result.values[output.name], images, this.#frame), width, height };
    this.sure = back ? confidence(this.flow, toFramePixels(back, images, this.#frame), this.#frame) : null;
    this.#latency.add(result.milliseconds);
    this.#heap = result.heap;
  }

  /** scale: px of the frames at the wheel's rim. */
  paint(scale: number): void {
    if (!this.flow) return;
    this.#text("latency", String(this.#latency));
    this.#text("flow", `mean flow ${meanLength(this.flow.data).toFixed(2)} px${this.#doubt()}`);
    this.#text("memory", `${(this.#heap / 1e6).toFixed(0)} MB`);
    inside<HTMLButtonElement>(this.#root, ".save").disabled = false;
    const { data, width, height } = this.flow;
    if (this.#canvas.width !== width || this.#canvas.height !== height) Object.assign(this.#canvas, { width, height });
    this.#canvas.style.setProperty("--aspect", `${this.#frame.width / this.#frame.height}`);
    const colours = this.sure ? fade(flowToColour(data, scale), this.sure) : flowToColour(data, scale);
    context2d(this.#canvas).putImageData(new ImageData(colours, width, height), 0, 0);
  }

  close(): void {
    this.engine.close();
    this.#root.remove();
  }

  /** The flow at the size of the frames, as a file. */
  #save(): void {
    if (!this.flow) return;
    const data = resized(this.flow.data, this.flow, this.#frame, 2);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(floFile({ data, ...this.#frame }));
    link.download = `${this.engine.manifest.precision}.flo`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  #doubt(): string {
    if (!this.sure) return "";
    const below = this.sure.filter((x) => x < SURE).length / this.sure.length;
    return `, ${(100 * below).toFixed(0)} % not to be trusted`;
  }

  #text(name: string, text: string): void {
    inside(this.#root, `.${name}`).textContent = text;
  }
}

function meanLength(flow: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < flow.length; i += 2) sum += Math.hypot(flow[i], flow[i + 1]);
  return sum / (flow.length / 2);
}
