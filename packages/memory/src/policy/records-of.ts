import type { Memory } from "../memory.ts";
import type { MemoryRecord } from "../memory-record.ts";

/** So many are asked for one by one; for more, all that there is is looked through. */
const SINGLE_MAX = 20;
const PAGE = 10_000;

/** The memories of these ids, as far as this workspace knows them. */
export async function recordsOf(
  memory: Memory,
  ids: readonly string[],
): Promise<ReadonlyMap<string, MemoryRecord>> {
  if (ids.length <= SINGLE_MAX) {
    const answers = await Promise.all(ids.map((id) => memory.get(id)));
    const found = answers.flatMap(({ memory: record }) => record ?? []);
    return new Map(found.map((record) => [record.id, record]));
  }
  const wanted = new Set(ids);
  const found = new Map<string, MemoryRecord>();
  let after: string | undefined;
  do {
    const page = memory.list({ limit: PAGE, ...(after !== undefined && { after }) }).memories;
    for (const record of page) if (wanted.has(record.id)) found.set(record.id, record);
    after = page.length < PAGE ? undefined : page.at(-1)?.id;
  } while (after !== undefined && found.size < wanted.size);
  return found;
}
