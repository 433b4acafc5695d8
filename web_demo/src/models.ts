/** Where models come from: the site, or files that were dropped. */

import { checkModel, readManifest } from "./manifest.ts";
import { Refusal } from "./refusal.ts";
import type { Model } from "./types.ts";

async function fetched(path: string): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path);
  } catch (error) {
    throw new Refusal(`${path} cannot be read (${(error as Error).message}): is the server still running?`);
  }
  if (!response.ok) {
    throw new Refusal(`${path} is missing (${response.status}): start the page again with the export's folder`);
  }
  return response;
}

/** The models that the site holds. Throws Refusal where a file is missing or not the one described. */
export async function siteModels(): Promise<Model[]> {
  const paths: string[] = await (await fetched("models.json")).json();
  const models: Model[] = [];
  for (const path of paths) {
    const manifest = readManifest(await (await fetched(path)).text(), path);
    const file = path.replace(/[^/]*$/, encodeURIComponent(manifest.file));
    const bytes = new Uint8Array(await (await fetched(file)).arrayBuffer());
    await checkModel(bytes, manifest);
    models.push({ manifest, bytes });
  }
  return models;
}

/** A model of two files, a model.json and a .tflite, in any order. */
export async function droppedModel(files: File[]): Promise<Model> {
  const manifests = files.filter((file) => file.name.endsWith(".json"));
  const networks = files.filter((file) => file.name.endsWith(".tflite"));
  if (manifests.length !== 1 || networks.length !== 1) {
    const came = files.map((file) => file.name).join(", ");
    throw new Refusal(`a model is two files, model.json and its .tflite; got ${came}: choose or drop both together`);
  }
  const manifest = readManifest(await manifests[0].text(), manifests[0].name);
  const bytes = new Uint8Array(await networks[0].arrayBuffer());
  await checkModel(bytes, manifest);
  return { manifest, bytes };
}
