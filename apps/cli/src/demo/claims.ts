import type { VectorStore } from "@holdfast/store";

/** Something that the demo set out to prove, and what it saw. */
export interface Claim {
  claim: string;
  evidence: string;
  held: boolean;
}

/** What was accepted, as the demo itself wrote it down. */
export type Accepted = ReadonlyMap<string, string>;

export interface ReadBack {
  compared: number;
  missing: number;
  different: number;
  /** Records in the store that nobody was told of. */
  unexpected: number;
}

/** Reads every record out of the database itself and compares the bytes of each text. */
export async function readBack(
  store: VectorStore,
  collection: string,
  accepted: Accepted,
  signal: AbortSignal,
): Promise<ReadBack> {
  const handle = await store.openCollection(collection, { signal });
  const stored = new Map<string, string>();
  for await (const page of handle.scan({ signal }))
    for (const { id, document } of page) stored.set(id, document ?? "");
  const result = { compared: 0, missing: 0, different: 0, unexpected: 0 };
  for (const [id, text] of accepted) {
    const found = stored.get(id);
    result.compared += 1;
    if (found === undefined) result.missing += 1;
    else if (!Buffer.from(found).equals(Buffer.from(text))) result.different += 1;
  }
  result.unexpected = [...stored.keys()].filter((id) => !accepted.has(id)).length;
  return result;
}

export function readBackClaim(claim: string, accepted: Accepted, seen: ReadBack): Claim {
  const { compared, missing, different, unexpected } = seen;
  const held = compared === accepted.size && compared > 0 && missing + different + unexpected === 0;
  return {
    claim,
    evidence: `${compared} read back: ${missing} missing, ${different} different, ${unexpected} unknown`,
    held,
  };
}
