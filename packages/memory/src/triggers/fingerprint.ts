import { createHash } from "node:crypto";
import type { NewMemory } from "../memory-record.ts";

/**
 * Equal for what says the same about the same: letter case, blanks, numbers and identifiers in the
 * text make no difference.
 */
export function fingerprintOf({ text, scope, metadata }: NewMemory): string {
  const { category, outcome } = metadata ?? {};
  const owner = [scope?.user, scope?.agent, scope?.session, scope?.project];
  return createHash("sha256")
    .update(JSON.stringify([category, outcome, owner, normalized(text)]))
    .digest("hex")
    .slice(0, 32);
}

function normalized(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/\b(?=[0-9a-f-]*\d)[0-9a-f]{7,}(?:-[0-9a-f]+)*\b/g, "#")
    .replaceAll(/\d+(?:[.,:]\d+)*/g, "#")
    .replaceAll(/\s+/g, " ")
    .trim();
}
