import type { StoredRecord } from "@holdfast/store";
import type { Journal } from "./journal.ts";
import { checksumOf, decodeRecord } from "./record-codec.ts";
import type { StoreAccess } from "./store-access.ts";

/**
 * After a salvage: takes back into the mirror what the store still holds of our memories and the
 * damaged file did not give back. Only records whose checksum proves them whole are taken, and
 * nothing that was forgotten.
 */
export async function adoptFromStore(
  deps: { journal: Journal; access: StoreAccess },
  signal: AbortSignal,
): Promise<void> {
  const { journal, access } = deps;
  const found = new Set<string>();
  const over = new AbortController();
  const collection = await access.read((inner) => access.openForRead(inner), signal);
  const either = AbortSignal.any([signal, over.signal]);
  const scan = collection?.scan({ embeddings: true, signal: either });
  const pages = scan?.[Symbol.asyncIterator]();
  try {
    for (;;) {
      // Each page is a call of its own: nobody can say how long all of them take.
      // oxlint-disable-next-line no-await-in-loop
      const page = await access.read(async () => pages?.next(), signal);
      if (page === undefined || page.done === true) break;
      journal.work(() => {
        for (const record of page.value) if (adopt(record, journal)) found.add(record.id);
      });
    }
  } finally {
    over.abort();
  }
  journal.noteAdopted(found);
}

function adopt(record: StoredRecord, { mirror }: Journal): boolean {
  const decoded = decodeRecord(record);
  if (decoded === undefined || checksumOf(decoded.content) !== decoded.checksum) return false;
  if (mirror.find(record.id) !== undefined) return false;
  if (decoded.revision <= (mirror.tombstones.of(record.id)?.revision ?? 0)) return false;
  mirror.put(record.id, decoded.revision, decoded.content, decoded.checksum);
  const row = mirror.find(record.id);
  if (row === undefined) return false;
  mirror.markApplied(row, false);
  if (record.embedding !== undefined) mirror.keepVector(row, record.embedding);
  return true;
}
