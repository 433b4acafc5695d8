/** `model.json`: read, held against its schema, and its model file held against it. */

import manifestSchema from "../../tfflow/exporting/manifest.schema.json" with { type: "json" };
import { Refusal } from "./refusal.ts";
import type { Manifest } from "./types.ts";

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
type Schema = { [keyword: string]: unknown; items?: Schema; properties?: Record<string, Schema> };

/**
 * The first place where `value` breaks a JSON schema, "inputs/0/type: must be ...", or null.
 * Knows the keywords that manifest.schema.json uses and throws on another, so that none is passed over in silence.
 */
export function broken(value: Json, schema: Schema, where = ""): string | null {
  for (const [keyword, wanted] of Object.entries(schema)) {
    const check = CHECKS[keyword];
    if (!check) throw new Error(`schema keyword ${keyword} is not known here`);
    const text = check(value, wanted, schema);
    if (text) return `${where || "the manifest"}: ${text}`;
  }
  if (Array.isArray(value) && schema.items) {
    for (const [i, item] of value.entries()) {
      const text = broken(item, schema.items, join(where, `${i}`));
      if (text) return text;
    }
  }
  if (isObject(value)) {
    for (const [name, item] of Object.entries(value)) {
      const inner = schema.properties?.[name] ?? schema.additionalProperties;
      const text = isObject(inner) ? broken(item, inner as Schema, join(where, name)) : null;
      if (text) return text;
    }
  }
  return null;
}

const isObject = (value: unknown): value is Record<string, Json> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const join = (where: string, name: string) => (where === "" ? name : `${where}/${name}`);

const TYPES: Record<string, (value: Json) => boolean> = {
  object: isObject,
  array: Array.isArray,
  string: (value) => typeof value === "string",
  number: (value) => typeof value === "number" && Number.isFinite(value),
  integer: Number.isInteger,
};

/** What a keyword says of a value: why it breaks it, or null. */
type Check = (value: any, wanted: any, schema: Schema) => string | null;

const nothing: Check = () => null;
const unless = (holds: boolean, text: string) => (holds ? null : text);

// Of a value of another type, `type` or `enum` beside them say so.
const CHECKS: Record<string, Check> = {
  $schema: nothing,
  title: nothing,
  description: nothing,
  items: nothing, // walked in `broken`
  properties: nothing, // walked in `broken`
  type: (value, type: string) => unless(TYPES[type](value), `must be of type ${type}`),
  const: (value, wanted) => unless(same(value, wanted), `must be ${JSON.stringify(wanted)}`),
  enum: (value, allowed: Json[]) => unless(allowed.includes(value), `must be one of ${allowed.join(", ")}`),
  minLength: (value, least: number) =>
    unless(typeof value !== "string" || value.length >= least, `must have at least ${least} characters`),
  pattern: (value, pattern: string) =>
    unless(typeof value !== "string" || new RegExp(pattern, "u").test(value), `must match ${pattern}`),
  minimum: (value, least: number) => unless(typeof value !== "number" || value >= least, `must be at least ${least}`),
  minItems: (value, least: number) =>
    unless(!Array.isArray(value) || value.length >= least, `must have at least ${least} items`),
  maxItems: (value, most: number) =>
    unless(!Array.isArray(value) || value.length <= most, `must have at most ${most} items`),
  required: (value, names: string[]) => {
    const missing = isObject(value) ? names.filter((name) => !Object.hasOwn(value, name)) : [];
    return unless(!missing.length, `lacks ${missing.join(", ")}`);
  },
  additionalProperties: (value, allowed: boolean | Schema, schema) => {
    const known = schema.properties ?? {};
    const others = allowed === false && isObject(value) ? Object.keys(value).filter((name) => !Object.hasOwn(known, name)) : []; // prettier-ignore
    return unless(!others.length, `has ${others.join(", ")}, which this version does not know`);
  },
};

const same = (a: Json, b: Json) => JSON.stringify(a) === JSON.stringify(b);

/** A manifest from its text. `name` is for messages. Throws Refusal where it is none, or of another version. */
export function readManifest(text: string, name: string): Manifest {
  const again = "export the network again, with the tfflow that this page comes with";
  let value: Json;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Refusal(`${name} is no manifest (${(error as Error).message}): ${again}`);
  }
  const format = manifestSchema.properties.format.const;
  const came = isObject(value) ? value.format : undefined;
  if (came !== format) {
    throw new Refusal(`${name} has format ${JSON.stringify(came)}, expected "${format}": ${again}`);
  }
  const where = broken(value, manifestSchema as unknown as Schema);
  if (where) throw new Refusal(`${name}: ${where}: ${again}`);
  return value as unknown as Manifest;
}

/** Throws Refusal unless `bytes` are the file that the manifest describes. */
export async function checkModel(bytes: Uint8Array<ArrayBuffer>, manifest: Manifest): Promise<void> {
  if (!globalThis.crypto?.subtle) {
    throw new Refusal(
      "This address is not secure, and the browser keeps the camera and checksums back: " +
        "open the page through https, or as localhost",
    );
  }
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const sha256 = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (sha256 !== manifest.sha256) {
    throw new Refusal(
      `${manifest.file} is not the file that its model.json describes (sha256 ${sha256.slice(0, 12)}…, ` +
        `expected ${manifest.sha256.slice(0, 12)}…): copy both again from the same export`,
    );
  }
}
