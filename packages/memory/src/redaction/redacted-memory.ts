import type { Metadata, MetadataValue } from "@holdfast/store";
import { decoratedMemory } from "../decorated-memory.ts";
import type { Memory } from "../memory.ts";
import { MemoryError } from "../memory-error.ts";
import type { MemoryChanges, NewMemory, Receipt } from "../memory-record.ts";
import type { Redactor } from "./redactor.ts";

/**
 * The same memory, which never sees a secret: texts, metadata and tags are redacted before they are
 * handed on, and queries too. Receipts say how many were taken out. An id or a scope is what things
 * are found by, so one that holds a secret is refused instead.
 */
export function redactedMemory(memory: Memory, redactor: Redactor): Memory {
  return decoratedMemory(memory, {
    add: async (text, options = {}) => {
      const { content, redactions } = redactContent({ text, ...options }, redactor);
      const { text: redacted, ...rest } = content;
      return withCount(await memory.add(redacted, rest), redactions);
    },
    addMany: async (items, options) => {
      const redacted = items.map((item) => redactContent(item, redactor));
      const receipts = await memory.addMany(
        redacted.map(({ content }) => content),
        options,
      );
      return receipts.map((receipt, at) => withCount(receipt, redacted[at]?.redactions ?? 0));
    },
    update: async (id, changes, options) => {
      const { content, redactions } = redactContent(changes, redactor);
      return withCount(await memory.update(id, content, options), redactions);
    },
    search: (query, options) => memory.search(redactor.redact(query).text, options),
  });
}

/** The same content without its secrets, and how many there were. */
export function redactContent<T extends MemoryChanges | NewMemory>(
  content: T,
  redactor: Redactor,
): { content: T; redactions: number; kinds: readonly string[] } {
  let redactions = 0;
  const kinds = new Set<string>();
  const counted = (redaction: ReturnType<Redactor["redact"]>): string => {
    redactions += redaction.count;
    for (const kind of redaction.kinds) kinds.add(kind);
    return redaction.text;
  };
  const { id, scope } = content as Partial<NewMemory>;
  if (id !== undefined) refuseSecret("id", id, redactor);
  for (const [key, value] of Object.entries(scope ?? {})) {
    if (value !== undefined) refuseSecret(`scope's ${key}`, value, redactor);
  }
  const { text, metadata, tags } = content;
  const redacted = {
    ...content,
    ...(typeof text === "string" ? { text: counted(redactor.redact(text)) } : {}),
    ...(isPlainObject(metadata) ? { metadata: redactMetadata(metadata, redactor, counted) } : {}),
    ...(Array.isArray(tags)
      ? {
          tags: tags.map((tag: unknown) =>
            typeof tag === "string" ? counted(redactor.redactNamed(tag)) : tag,
          ),
        }
      : {}),
  };
  return { content: redacted, redactions, kinds: [...kinds] };
}

/** Keys are names, but one that holds a secret is one. */
function redactMetadata(
  metadata: Metadata,
  redactor: Redactor,
  counted: (redaction: ReturnType<Redactor["redact"]>) => string,
): Metadata {
  const entries = Object.entries(metadata).map(([key, value]): [string, MetadataValue] => [
    counted(redactor.redactNamed(key)),
    typeof value === "string" ? counted(redactor.redactValue(key, value)) : value,
  ]);
  return Object.fromEntries(entries);
}

function refuseSecret(what: string, value: unknown, redactor: Redactor): void {
  if (typeof value !== "string") return;
  const { count, kinds } = redactor.redactNamed(value);
  if (count === 0) return;
  throw new MemoryError(`The ${what} holds a secret (${kinds.join(", ")})`, {
    code: "MEMORY_INVALID",
    hint: "Nothing was stored. Name it without the secret.",
  });
}

function isPlainObject(value: unknown): value is Metadata {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function withCount(receipt: Receipt, redactions: number): Receipt {
  return { ...receipt, redactions: (receipt.redactions ?? 0) + redactions };
}
