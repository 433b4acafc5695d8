/** `model.json`: read, held against its schema, and its model file held against it. */

import { Refusal } from "./refusal.js";

/**
 * The first place where `value` breaks a JSON schema, "inputs/0/type: must be ...", or null.
 * Knows the keywords that manifest.schema.json uses and throws on another, so that none is passed over in silence.
 */
export function broken(value, schema, where = "") {
  const at = (text) => `${where || "the manifest"}: ${text}`;
  for (const [keyword, wanted] of Object.entries(schema)) {
    const check = CHECKS[keyword];
    if (!check) throw new Error(`schema keyword ${keyword} is not known here`);
    const text = check(value, wanted, schema);
    if (text) return at(text);
  }
  if (Array.isArray(value) && schema.items) {
    for (const [i, item] of value.entries()) {
      const text = broken(item, schema.items, join(where, i));
      if (text) return text;
    }
  }
  if (isObject(value)) {
    for (const [name, item] of Object.entries(value)) {
      const inner = schema.properties?.[name] ?? schema.additionalProperties;
      const text = isObject(inner) ? broken(item, inner, join(where, name)) : null;
      if (text) return text;
    }
  }
  return null;
}

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const join = (where, name) => (where === "" ? `${name}` : `${where}/${name}`);
const nothing = () => null;

const TYPES = {
  object: isObject,
  array: Array.isArray,
  string: (value) => typeof value === "string",
  number: (value) => typeof value === "number" && Number.isFinite(value),
  integer: Number.isInteger,
};

const CHECKS = {
  $schema: nothing,
  title: nothing,
  description: nothing,
  items: nothing, // walked in `broken`
  properties: nothing, // walked in `broken`
  type: (value, type) => (TYPES[type](value) ? null : `must be of type ${type}`),
  const: (value, wanted) =>
    JSON.stringify(value) === JSON.stringify(wanted) ? null : `must be ${JSON.stringify(wanted)}`,
  enum: (value, allowed) => (allowed.includes(value) ? null : `must be one of ${allowed.join(", ")}`),
  minLength: (value, least) => (value.length >= least ? null : `must have at least ${least} characters`),
  pattern: (value, pattern) => (new RegExp(pattern, "u").test(value) ? null : `must match ${pattern}`),
  minimum: (value, least) => (value >= least ? null : `must be at least ${least}`),
  minItems: (value, least) => (value.length >= least ? null : `must have at least ${least} items`),
  maxItems: (value, most) => (value.length <= most ? null : `must have at most ${most} items`),
  required: (value, names) => {
    const missing = names.filter((name) => !Object.hasOwn(value, name));
    return missing.length ? `lacks ${missing.join(", ")}` : null;
  },
  additionalProperties: (value, allowed, schema) => {
    const others = allowed === false ? Object.keys(value).filter((name) => !Object.hasOwn(schema.properties, name)) : [];
    return others.length ? `has ${others.join(", ")}, which this version does not know` : null;
  },
};

/** A manifest from its text. `name` is for messages. Throws Refusal where it is none, or of another version. */
export function readManifest(text, schema, name) {
  const again = "export the network again, with the tfflow that this page comes with";
  let value;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Refusal(`${name} is no manifest (${error.message}): ${again}`);
  }
  const format = schema.properties.format.const;
  if (value?.format !== format) {
    throw new Refusal(`${name} has format ${JSON.stringify(value?.format)}, expected "${format}": ${again}`);
  }
  const where = broken(value, schema);
  if (where) throw new Refusal(`${name}: ${where}: ${again}`);
  return value;
}

/** Throws Refusal unless `bytes` (Uint8Array) are the file that the manifest describes. */
export async function checkModel(bytes, manifest) {
  if (!globalThis.crypto?.subtle) {
    throw new Refusal("This address is not secure, and the browser keeps the camera and checksums back: open the page through https, or as localhost");
  }
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const sha256 = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  if (sha256 !== manifest.sha256) {
    throw new Refusal(
      `${manifest.file} is not the file that its model.json describes (sha256 ${sha256.slice(0, 12)}…, ` +
        `expected ${manifest.sha256.slice(0, 12)}…): copy both again from the same export`,
    );
  }
}
