import type { Metadata } from "@holdfast/store";
import { MemoryError } from "./memory-error.ts";
import type { Filter, MemoryChanges, NewMemory, Scope } from "./memory-record.ts";

/** A memory's text in UTF-8 bytes; longer ones belong in a document store. */
const TEXT_BYTES_MAX: number = 1024 * 1024;
const ID_LENGTH_MAX = 512;
const METADATA_BYTES_MAX = 64 * 1024;
const TAGS_MAX = 64;
/** Of all tags together, and of a scope: no record may be longer than a backup can read. */
const NAMES_BYTES_MAX = 64 * 1024;
/** Longer than any date can be away. */
const TTL_MS_MAX = 1e15;
const RESERVED_KEY = /^(hf:|chroma:|[$#])/;
const SCOPE_KEYS: readonly (keyof Scope)[] = ["user", "agent", "session", "project"];

/**
 * Refuses what cannot be stored exactly as given.
 * @throws MemoryError `MEMORY_INVALID`, naming the field and what is accepted.
 */
export function validateNewMemory(memory: NewMemory): void {
  validateText(memory.text);
  if (memory.id !== undefined) validateNewId(memory.id);
  if (memory.metadata !== undefined) validateMetadata(memory.metadata);
  if (memory.scope !== undefined) validateScope(memory.scope);
  if (memory.tags !== undefined) validateTags(memory.tags);
  if (memory.ttlMs !== undefined) validateTtl(memory.ttlMs);
}

/** The same of changes to a memory. @throws MemoryError `MEMORY_INVALID`. */
export function validateChanges(changes: MemoryChanges): void {
  if (changes.text !== undefined) validateText(changes.text);
  if (changes.metadata !== undefined) validateMetadata(changes.metadata);
  if (changes.tags !== undefined) validateTags(changes.tags);
  if (changes.ttlMs !== undefined && changes.ttlMs !== null) validateTtl(changes.ttlMs);
}

export function validateText(text: string): void {
  requireText("text", text);
  const bytes = Buffer.byteLength(text);
  if (bytes > TEXT_BYTES_MAX) {
    refuse(
      `The text has ${bytes} bytes; at most ${TEXT_BYTES_MAX} are stored`,
      "Split it into several memories.",
    );
  }
}

export function validateId(id: string): void {
  requireText("id", id);
  if (id.length > ID_LENGTH_MAX) {
    refuse(`The id has ${id.length} characters; at most ${ID_LENGTH_MAX} are allowed`);
  }
}

function validateNewId(id: string): void {
  validateId(id);
  // Node before 24 would read it back only up to there.
  if (id.includes("\0")) refuse("The id holds a NUL", "Leave it out, or give another id.");
}

function validateMetadata(metadata: Metadata): void {
  if (typeof metadata !== "object" || metadata === null || Array.isArray(metadata)) {
    refuse("The metadata must be an object of strings, numbers and booleans");
  }
  for (const [key, value] of Object.entries(metadata)) {
    requireText("metadata key", key);
    if (RESERVED_KEY.test(key)) {
      refuse(`The metadata key ${JSON.stringify(key)} is reserved`, "Choose another key.");
    }
    validateMetadataValue(key, value);
  }
  if (Buffer.byteLength(JSON.stringify(metadata)) > METADATA_BYTES_MAX) {
    refuse(
      `The metadata has more than ${METADATA_BYTES_MAX} bytes`,
      "Put long values in the text.",
    );
  }
}

function validateTags(tags: readonly string[]): void {
  if (!Array.isArray(tags)) refuse("The tags must be an array of strings");
  if (tags.length > TAGS_MAX) refuse(`${tags.length} tags; at most ${TAGS_MAX} are stored`);
  for (const tag of tags) requireText("tag", tag);
  requireBytes("tags", tags);
}

function validateTtl(ttlMs: number): void {
  if (!(ttlMs > 0 && ttlMs <= TTL_MS_MAX)) {
    refuse(
      `The lifetime must be a positive number of milliseconds, at most ${TTL_MS_MAX}, not ${String(ttlMs)}`,
      "Leave it out for a memory without an end.",
    );
  }
}

function validateScope(scope: Scope): void {
  for (const key of Object.keys(scope)) {
    if (!SCOPE_KEYS.includes(key as keyof Scope)) {
      refuse(
        `Unknown part of a scope: ${JSON.stringify(key)}`,
        `A scope has ${SCOPE_KEYS.join(", ")}.`,
      );
    }
  }
  for (const key of SCOPE_KEYS) {
    const value = scope[key];
    if (value !== undefined) requireText(`scope's ${key}`, value);
  }
  requireBytes("parts of the scope", Object.values(scope));
}

export function validateFilter(filter: Filter): void {
  if (filter.scope !== undefined) validateScope(filter.scope);
  if (filter.tags !== undefined) validateTags(filter.tags);
  if (filter.exceptTags !== undefined) validateTags(filter.exceptTags);
  if (filter.where !== undefined) validateMetadata(filter.where);
}

/** @throws MemoryError `MEMORY_INVALID` unless `value` is a whole number from 1 to `max`. */
export function validateLimit(value: number, max: number): void {
  if (!Number.isInteger(value) || value < 1 || value > max) {
    refuse(`The limit must be a whole number from 1 to ${max}, not ${String(value)}`);
  }
}

function validateMetadataValue(key: string, value: unknown): void {
  if (typeof value === "boolean") return;
  if (typeof value === "string") {
    requireWellFormed(`metadata value of ${JSON.stringify(key)}`, value);
    return;
  }
  if (typeof value === "number" && Number.isFinite(value) && !Object.is(value, -0)) {
    if (!Number.isInteger(value) || Number.isSafeInteger(value)) return;
    refuse(
      `The metadata value of ${JSON.stringify(key)} is a whole number beyond ±2^53`,
      "Store it as a string.",
    );
  }
  refuse(
    `The metadata value of ${JSON.stringify(key)} cannot be stored exactly: ${describe(value)}`,
    "Use a string, a finite number or a boolean; put nested data into JSON text.",
  );
}

function requireText(what: string, value: unknown): void {
  if (typeof value !== "string") refuse(`The ${what} must be a string, not ${describe(value)}`);
  if (value === "") refuse(`The ${what} is empty`);
  requireWellFormed(what, value);
}

function requireBytes(what: string, values: readonly (string | undefined)[]): void {
  const bytes = values.reduce((sum, value = "") => sum + Buffer.byteLength(value), 0);
  if (bytes > NAMES_BYTES_MAX) {
    refuse(
      `The ${what} have ${bytes} bytes; at most ${NAMES_BYTES_MAX} are stored`,
      "Put long values in the text.",
    );
  }
}

function requireWellFormed(what: string, value: string): void {
  if (!value.isWellFormed()) {
    refuse(
      `The ${what} holds half a surrogate pair, which no UTF-8 can hold`,
      "Use toWellFormed().",
    );
  }
}

function describe(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  return typeof value === "number" ? String(value) : typeof value;
}

function refuse(message: string, hint = "Nothing was stored; change it and try again."): never {
  throw new MemoryError(message, { code: "MEMORY_INVALID", hint });
}
