/** Where models come from: the site, or files that were dropped. A model is {manifest, bytes}. */

import { checkModel, readManifest } from "./manifest.js";
import { Refusal } from "./refusal.js";

async function fetched(path) {
  let response;
  try {
    response = await fetch(path);
  } catch (error) {
    throw new Refusal(`${path} cannot be read (${error.message}): is the server still running?`);
  }
  if (!response.ok) throw new Refusal(`${path} is missing (${response.status}): start the page again with the export's folder`);
  return response;
}

export const fetchSchema = async () => (await fetched("manifest.schema.json")).json();

/** Paths of the manifests that the site holds. */
export const sitesModels = async () => (await fetched("models.json")).json();

/** A model of the site, by its manifest. Throws Refusal where a file is missing or not the one described. */
export async function siteModel(path, schema) {
  const manifest = readManifest(await (await fetched(path)).text(), schema, path);
  const response = await fetched(new URL(manifest.file, new URL(path, document.baseURI)).href);
  const bytes = new Uint8Array(await response.arrayBuffer());
  await checkModel(bytes, manifest);
  return { manifest, bytes };
}

/** A model of two files, a model.json and a .tflite, in any order. */
export async function droppedModel(files, schema) {
  const manifests = files.filter((file) => file.name.endsWith(".json"));
  const networks = files.filter((file) => file.name.endsWith(".tflite"));
  if (manifests.length !== 1 || networks.length !== 1) {
    const came = files.map((file) => file.name).join(", ");
    throw new Refusal(`a model is two files, model.json and its .tflite; got ${came}: choose or drop both together`);
  }
  const manifest = readManifest(await manifests[0].text(), schema, manifests[0].name);
  const bytes = new Uint8Array(await networks[0].arrayBuffer());
  await checkModel(bytes, manifest);
  return { manifest, bytes };
}
