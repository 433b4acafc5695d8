/** The page: its controls, and what happens when they are used. */

import { drawArrows, drawFrame, drawLegend, robustScale } from "./colour.ts";
import { inside } from "./dom.ts";
import { Engine, defaultThreads } from "./engine.ts";
import { droppedModel, siteModels } from "./models.ts";
import { keepForOffline } from "./offline.ts";
import { Panel, SURE } from "./panel.ts";
import { Refusal } from "./refusal.ts";
import { FramePairs, closeVideo, openCamera, openVideo, picturePair } from "./sources.ts";
import { Rate } from "./timing.ts";
import type { Model, Pair } from "./types.ts";

const part = <T extends HTMLElement = HTMLElement>(id: string) => inside<T>(document, `#${id}`);
const button = (id: string) => part<HTMLButtonElement>(id);
const field = (id: string) => part<HTMLInputElement>(id);

const [status, alert, source, shownRate] = ["status", "alert", "source", "rate"].map((id) => part(id));
const [camera, stopping, fitting] = ["camera", "stop", "fit"].map(button);
const [pictures, video, model, threads, scale, check] = ["pictures", "video", "model", "threads", "scale", "check"].map(field);
const backend = part<HTMLSelectElement>("backend");
const player = part<HTMLVideoElement>("player");
const framesCanvas = inside<HTMLCanvasElement>(document, "#frames canvas");
const controls = [camera, pictures, video, model, backend, threads, check];
/** How many times their flow arrows are long. */
const STRETCH = 3;

let models: Model[] = []; // those on the page
let panels: Panel[] = [];
let pairs: FramePairs | null = null; // of the camera or a video
let rate = new Rate();
let shown = 0; // pairs of it
let still: Pair | null = null; // two pictures, to run again with another model
let running: Promise<void> = Promise.resolve(); // the pair that the networks are at
let offline = false;

const rim = () => Math.max(0.1, Number(scale.value) || 10);

function refuse(error: unknown): void {
  if (!(error instanceof Refusal)) console.error(error);
  const { message } = error as Error;
  alert.textContent = error instanceof Refusal ? message : `Something went wrong: ${message}`;
  alert.hidden = false;
}

let acting: Promise<void> = Promise.resolve(); // files can be dropped while others are being read

/** Does what a control asks for, one after the other; a refusal is shown, and the page goes on. */
function act(text: string, action: () => Promise<void>): Promise<void> {
  acting = acting.then(() => actNow(text, action));
  return acting;
}

async function actNow(text: string, action: () => Promise<void>): Promise<void> {
  alert.hidden = true;
  for (const control of controls) control.disabled = true;
  status.textContent = text;
  try {
    await action();
  } catch (error) {
    refuse(error);
  }
  for (const control of controls) control.disabled = false;
  for (const control of [camera, pictures, video]) control.disabled = !panels.length;
  threads.disabled = !globalThis.crossOriginIsolated;
  const ready = `Ready. All is computed on this device${offline ? ", without a network connection, too" : ""}.`;
  status.textContent = panels.length ? ready : "No model: choose or drop a model.json and its .tflite.";
}

/** Puts models on the page, in the place of those that are there. */
async function put(wanted: Model[]): Promise<void> {
  await stop();
  const options = { webgpu: backend.value === "auto", threads: Number(threads.value) || 1, onLost };
  const opened: Engine[] = [];
  try {
    for (const one of wanted) opened.push(await Engine.open(one, options));
  } catch (error) {
    for (const engine of opened) engine.close();
    throw error;
  }
  for (const panel of panels) panel.close();
  models = wanted;
  panels = opened.map((engine) => new Panel(engine, part<HTMLTemplateElement>("panel"), part("panels")));
  if (still) await run(still);
}

async function onLost(why: string): Promise<void> {
  if (backend.value === "wasm") return; // each network that ran there tells of it
  backend.value = "wasm";
  for (const panel of panels) panel.engine.close(); // what one is at would never end
  await act("WebGPU is lost …", () => put(models));
  refuse(new Refusal(`WebGPU was lost (${why}): the networks run on WebAssembly now; press Camera to go on`));
}

/** Runs a pair through the networks, one after the other, so that none disturbs the other's time. */
function run(pair: Pair): Promise<void> {
  const turn = running.then(async () => {
    const frames = { image1: pair.frames[0], image2: pair.frames[1] };
    for (const panel of panels) await panel.run(frames, check.checked);
    for (const panel of panels) panel.paint(rim()); // all of one pair
    show(pair);
  });
  running = turn.catch(() => {});
  return turn;
}

function show({ frames: [first], apart }: Pair): void {
  drawFrame(framesCanvas, first);
  const { flow = null, sure = null } = panels[0] ?? {};
  if (flow) drawArrows(framesCanvas, flow, first, STRETCH, (i) => !sure || sure[i] >= SURE);
  framesCanvas.style.setProperty("--aspect", `${first.width / first.height}`);
  const between = apart === null ? "" : `, ${Math.round(1000 * apart)} ms apart`;
  source.textContent = `arrows ${STRETCH} times as long as the flow; ${first.width}x${first.height}${between}`;
  const perSecond = apart === null ? null : rate.add();
  shown += 1;
  shownRate.textContent = perSecond === null ? "" : `${perSecond.toFixed(1)} FPS, ${shown} pairs`;
  fitting.disabled = !flow;
}

async function stop(): Promise<void> {
  pairs?.stop();
  pairs = null;
  closeVideo(player);
  stopping.disabled = true;
  await running;
}

function fit(): void {
  const flow = panels[0]?.flow;
  if (flow) scale.value = `${Number(robustScale(flow.data).toPrecision(3))}`;
  for (const panel of panels) panel.paint(rim());
}

async function play(open: () => Promise<void>): Promise<void> {
  await stop();
  still = null;
  await open();
  [rate, shown] = [new Rate(), 0];
  stopping.disabled = false;
  pairs = new FramePairs(player, async (pair) => {
    try {
      await run(pair);
    } catch (error) {
      refuse(error);
      await stop();
    }
  });
}

async function showPictures(files: File[]): Promise<void> {
  const pair = await picturePair(files);
  await stop();
  await run(pair);
  still = pair;
  fit();
}

/** What was dropped or chosen, by what the files are. */
function take(files: File[]): void {
  const all = (test: (file: File) => boolean) => files.every(test);
  if (!files.length) return;
  if (all(({ name }) => /\.(json|tflite)$/i.test(name))) {
    void act("Loading the model …", async () => put([await droppedModel(files)]));
  } else if (!panels.length) {
    const none = new Refusal("There is no model yet: choose or drop a model.json and its .tflite first");
    void act("", () => Promise.reject(none));
  } else if (files.length === 1 && all(({ type }) => type.startsWith("video/"))) {
    void act("Opening the video …", () => play(() => openVideo(player, files[0])));
  } else {
    void act("Reading the pictures …", () => showPictures(files));
  }
}

for (const control of [pictures, video, model]) {
  control.addEventListener("change", () => {
    const files = [...(control.files ?? [])];
    control.value = ""; // so that the same file can be chosen again
    take(files);
  });
}
camera.addEventListener("click", () => {
  const [, height, width] = models[0].manifest.inputs[0].shape;
  void act("Opening the camera …", () => play(() => openCamera(player, { width, height })));
});
stopping.addEventListener("click", () => void stop());
fitting.addEventListener("click", fit);
check.addEventListener("change", () => {
  if (still) void act("Running the networks …", () => run(still as Pair));
});
scale.addEventListener("change", () => {
  scale.value = `${rim()}`;
  for (const panel of panels) panel.paint(rim());
});
for (const control of [backend, threads]) {
  control.addEventListener("change", () => void act("Loading the models …", () => put(models)));
}
part("controls").addEventListener("submit", (event) => event.preventDefault());
addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.add("dropping");
});
addEventListener("dragleave", () => document.body.classList.remove("dropping"));
addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("dropping");
  take([...(event.dataTransfer?.files ?? [])]);
});

const wished = new URLSearchParams(location.search);
drawLegend(inside<HTMLCanvasElement>(document, "#legend canvas"));
threads.value = `${Number(wished.get("threads")) || defaultThreads()}`;
threads.max = `${navigator.hardwareConcurrency || 1}`;
if (wished.get("backend") === "wasm") backend.value = "wasm";
await act("Loading the models …", async () => {
  offline = await keepForOffline();
  const found = await siteModels();
  if (found.length) await put(found);
});
