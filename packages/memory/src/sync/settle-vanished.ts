import type { CallOptions, VectorCollection, VectorStore } from "@holdfast/store";
import type { Journal } from "../journal.ts";
import { upsertEach } from "../upsert-each.ts";
import type { OtherRecord } from "./others-mirror.ts";
import { asRecord } from "./return-others.ts";

export type VanishedChoice = "keep" | "drop" | "restore";

interface SettleDeps {
  journal: Journal;
  store: VectorStore;
  call: CallOptions;
  /** Called before each page. @throws when another sync has taken over. */
  renew: () => void;
  /** The sync that does it. */
  run: number;
}

interface Settled {
  dropped: number;
  restored: number;
  refused: string[];
}

const PAGE = 500;

/** Does with what the store has lost as it is told. */
export async function settleVanished(
  choice: VanishedChoice,
  collection: VectorCollection,
  deps: SettleDeps,
): Promise<Settled> {
  const { journal, store, renew } = deps;
  const { others } = journal.working;
  const settled: Settled = { dropped: 0, restored: 0, refused: [] };
  if (choice === "keep") return settled;
  const size = Math.min(PAGE, store.limits.batchRecordsMax);
  for (let page = others.page(0, size, { vanished: true }); page.length > 0;) {
    renew();
    if (choice === "drop") {
      journal.work(() => page.forEach(({ id }) => others.drop(id)));
      settled.dropped += page.length;
    } else {
      const theirs = withoutOurs(page, journal);
      const left = await restore(theirs, collection, deps);
      settled.restored += theirs.length - left.length;
      settled.refused.push(...left);
    }
    page = others.page(page.at(-1)?.memory ?? 0, size, { vanished: true });
  }
  if (settled.dropped > 0) journal.scour();
  return settled;
}

/** What of others' records is not ours by now: what the store holds of those the outbox brings. */
export function withoutOurs<T extends { id: string }>(
  records: readonly T[],
  journal: Journal,
): T[] {
  return journal.work(({ mirror, others }) => {
    const ours = mirror.known(records.map(({ id }) => id));
    for (const id of ours) others.drop(id);
    return records.filter(({ id }) => !ours.has(id));
  });
}

/** Returns the ids that the store does not take, or that have no vector to give it. */
async function restore(
  records: readonly OtherRecord[],
  collection: VectorCollection,
  { journal, call, run }: SettleDeps,
): Promise<string[]> {
  const whole = records.flatMap(asRecord);
  const refused = await upsertEach(whole, collection, call);
  const written = whole.filter(({ id }) => !refused.has(id));
  journal.work(({ others }) => {
    for (const record of written) others.see(record, run);
  });
  const back = new Set(written.map(({ id }) => id));
  return records.map(({ id }) => id).filter((id) => !back.has(id));
}
