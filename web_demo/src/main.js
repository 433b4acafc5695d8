/** The page: its controls, and what happens when they are used. */

import { drawArrows, drawFrame, drawLegend, robustScale } from "./colour.js";
import { Engine, defaultThreads } from "./engine.js";
import { droppedModel, fetchSchema, siteModel, sitesModels } from "./models.js";
import { Panel } from "./panel.js";
import { Refusal } from "./refusal.js";
import { FramePairs, closeVideo, openCamera, openVideo, picturePair } from "./sources.js";
import { Rate } from "./timing.js";

const $ = (id) => document.getElementById(id);
const framesCanvas = $("frames").querySelector("canvas");
const controls = ["camera", "pictures", "video", "model", "backend", "threads"].map($);
/** How many times their flow arrows are long. */
const STRETCH = 3;
const wished = new URLSearchParams(location.search);

let schema;
let models = []; // {manifest, bytes}, those on the page
let panels = [];
let pairs = null; // FramePairs of the camera or a video
let rate = new Rate();
let still = null; // the pair of two pictures, to run again with another model
let running = Promise.resolve(); // the pair that the networks are at

const scale = () => Math.max(0.1, Number($("scale").value) || 10);

function refuse(error) {
  if (!(error instanceof Refusal)) console.error(error);
  $("alert").textContent = error instanceof Refusal ? error.message : `Something went wrong: ${error.message ?? error}`;
  $("alert").hidden = false;
}

let acting = Promise.resolve(); // files can be dropped while others are being read

/** Does what a control asks for, one after the other; a refusal is shown, and the page goes on. */
function act(text, action) {
  acting = acting.then(() => actNow(text, action));
  return acting;
}

async function actNow(text, action) {
  $("alert").hidden = true;
  for (const control of controls) control.disabled = true;
  $("status").textContent = text;
  try {
    await action();
  } catch (error) {
    refuse(error);
  }
  for (const control of controls) control.disabled = false;
  const usable = panels.length > 0;
  for (const name of ["camera", "pictures", "video"]) $(name).disabled = !usable;
  $("threads").disabled = !globalThis.crossOriginIsolated;
  $("status").textContent = usable ? "Ready. All is computed on this device." : "No model: drop a model.json and its .tflite here.";
}

/** Puts models on the page, in the place of those that are there. */
async function put(wanted) {
  await stop();
  const options = { webgpu: $("backend").value === "auto", threads: Number($("threads").value) || 1 };
  const opened = [];
  try {
    for (const { manifest, bytes } of wanted) {
      opened.push(await Engine.open(manifest, bytes, { ...options, onLost }));
    }
  } catch (error) {
    for (const engine of opened) engine.close();
    throw error;
  }
  for (const panel of panels) panel.close();
  models = wanted;
  panels = opened.map((engine) => new Panel(engine, $("panel"), $("panels")));
  if (still) await run(still);
}

async function onLost(why) {
  if ($("backend").value === "wasm") return; // each network that ran there tells of it
  $("backend").value = "wasm";
  for (const panel of panels) panel.engine.close(); // what one is at would never end
  await act("WebGPU is lost …", () => put(models));
  refuse(new Refusal(`WebGPU was lost (${why}): the networks run on WebAssembly now; press Camera to go on`));
}

/** Runs a pair through the networks, one after the other, so that none disturbs the other's time. */
function run(pair) {
  const turn = running.then(async () => {
    const frames = { image1: pair.frames[0], image2: pair.frames[1] };
    for (const panel of panels) await panel.run(frames);
    for (const panel of panels) panel.paint(scale()); // all of one pair
    show(pair);
  });
  running = turn.catch(() => {});
  return turn;
}

function show({ frames: [first], apart }) {
  drawFrame(framesCanvas, first);
  if (panels.length) drawArrows(framesCanvas, panels[0].flow, first.width, first.height, STRETCH);
  framesCanvas.style.setProperty("--aspect", first.width / first.height);
  $("source").textContent = `arrows ${STRETCH} times as long as the flow; ${first.width}x${first.height}${apart ? `, ${Math.round(1000 * apart)} ms apart` : ""}`;
  const perSecond = apart ? rate.add() : null;
  $("rate").textContent = perSecond ? `${perSecond.toFixed(1)} FPS` : "";
  $("fit").disabled = !panels.length;
}

async function stop() {
  pairs?.stop();
  pairs = null;
  closeVideo($("player"));
  $("stop").disabled = true;
  await running;
}

function fit() {
  $("scale").value = Number(robustScale(panels[0].flow.data).toPrecision(3));
  for (const panel of panels) panel.paint(scale());
}

async function play(open) {
  await stop();
  still = null;
  await open($("player"));
  rate = new Rate();
  $("stop").disabled = false;
  pairs = new FramePairs($("player"), async (pair) => {
    try {
      await run(pair);
    } catch (error) {
      refuse(error);
      await stop();
    }
  });
}

async function showPictures(files) {
  const pair = await picturePair(files);
  await stop();
  await run(pair);
  still = pair;
  fit();
}

/** What was dropped or chosen, by what the files are. */
function take(files) {
  const all = (test) => files.every((file) => test(file.name.toLowerCase(), file.type));
  if (!files.length) return undefined;
  if (all((name) => /\.(json|tflite)$/.test(name))) return act("Loading the model …", async () => put([await droppedModel(files, schema)]));
  if (!panels.length) return act("", () => Promise.reject(new Refusal("There is no model yet: drop a model.json and its .tflite first")));
  if (files.length === 1 && all((_, type) => type.startsWith("video/"))) {
    return act("Opening the video …", () => play((player) => openVideo(player, files[0])));
  }
  return act("Reading the pictures …", () => showPictures(files));
}

for (const name of ["pictures", "video", "model"]) {
  $(name).addEventListener("change", () => {
    const files = [...$(name).files];
    $(name).value = ""; // so that the same file can be chosen again
    take(files);
  });
}
$("camera").addEventListener("click", () => {
  const [, height, width] = models[0].manifest.inputs[0].shape;
  act("Opening the camera …", () => play((player) => openCamera(player, { width, height })));
});
$("stop").addEventListener("click", () => stop());
$("fit").addEventListener("click", fit);
$("scale").addEventListener("change", () => {
  $("scale").value = scale();
  for (const panel of panels) panel.paint(scale());
});
for (const name of ["backend", "threads"]) {
  $(name).addEventListener("change", () => act("Loading the models …", () => put(models)));
}
$("controls").addEventListener("submit", (event) => event.preventDefault());
addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.add("dropping");
});
addEventListener("dragleave", () => document.body.classList.remove("dropping"));
addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("dropping");
  take([...event.dataTransfer.files]);
});

drawLegend($("legend").querySelector("canvas"));
$("threads").value = Number(wished.get("threads")) || defaultThreads();
$("threads").max = navigator.hardwareConcurrency || 1;
if (wished.get("backend") === "wasm") $("backend").value = "wasm";
await act("Loading the models …", async () => {
  schema = await fetchSchema();
  const found = [];
  for (const path of await sitesModels()) found.push(await siteModel(path, schema));
  if (found.length) await put(found);
});
