import { type LoadedConfig, readSecret } from "@holdfast/config";
import { HoldfastError } from "@holdfast/core";
import type { Embedder, Memory, NewMemory, Receipt } from "@holdfast/memory";
import type { CaptureJournal, CaptureResult } from "@holdfast/memory/capture";
import { decoratedMemory } from "@holdfast/memory/service";
import { StoreError, type VectorStore } from "@holdfast/store";
import { governed } from "../policy/governance.ts";
import { overStore } from "../wire.ts";
import { workspaceOf } from "../workspace.ts";
import { OutwardEffects } from "./outward-effects.ts";

export interface GovernedDeps {
  journal: CaptureJournal;
  environment: NodeJS.ProcessEnv;
  /** Told what policies have to say. */
  tell: (message: string) => void;
}

/**
 * Captures under the workspace's policies: what they do to the memory goes into the journal, and all
 * that they do to other memories is done as for any other event. Alerts and webhooks are left to a
 * process that nobody waits for. The store is not asked.
 * @throws PolicyError `POLICY_INVALID`: what a broken rule would forbid is not captured.
 */
export async function captureGoverned(
  memory: NewMemory,
  loaded: LoadedConfig,
  { journal, environment, tell }: GovernedDeps,
): Promise<CaptureResult | { result: "declined" }> {
  const workspace = workspaceOf(loaded);
  const { memory: mirror, close } = await overStore(
    workspace,
    { store: awayStore, embedder: awayEmbedder },
    false,
  );
  try {
    let captured: CaptureResult = { result: "full" };
    const capturing = capturingMemory(mirror, (item) => (captured = journal.add(item, Date.now())));
    const secretOf = (reference: Parameters<typeof readSecret>[0]): string =>
      readSecret(reference, environment);
    const outward = new OutwardEffects(workspace, { readSecret: secretOf, write: tell });
    const deps = { readSecret: secretOf, warn: tell, note: tell, outward: outward.actions };
    const under = (await governed(capturing, workspace, deps)) ?? capturing;
    try {
      await under.addMany([memory], { waitMs: 0 });
    } finally {
      // What is to be told is told when the memory itself is declined, too.
      await under.close();
      await outward.handOver(loaded, environment);
    }
    return captured;
  } catch (error) {
    if ((error as { code?: unknown }).code === "POLICY_ABORTED") return { result: "declined" };
    throw error;
  } finally {
    await close();
  }
}

/** The mirror's memory, into which things are added by way of the journal. */
function capturingMemory(mirror: Memory, add: (item: NewMemory) => CaptureResult): Memory {
  const addMany = (items: readonly NewMemory[]): Promise<Receipt[]> =>
    Promise.resolve(
      items.map((item) => {
        const result = add(item);
        const id = "id" in result ? result.id : (item.id ?? "");
        return { id, revision: 1, durability: "queued", reason: "it was captured" };
      }),
    );
  return decoratedMemory(mirror, {
    addMany,
    add: async (text, options) => (await addMany([{ text, ...options }]))[0] as Receipt,
    // Who made it closes it.
    close: () => Promise.resolve(),
  });
}

const away = (): Promise<never> =>
  Promise.reject(new StoreError("A trigger does not ask the store", { code: "STORE_UNAVAILABLE" }));

/** As a store that is down, so that recall answers from the mirror and writes are queued. */
const awayStore: VectorStore = {
  limits: { batchRecordsMax: 1, batchBytesMax: 1 },
  ping: away,
  listCollections: away,
  openCollection: away,
  createCollection: away,
  renameCollection: away,
  deleteCollection: away,
  incarnation: () => undefined,
  close: () => Promise.resolve(),
};

const noModel = (): Promise<never> =>
  Promise.reject(
    new HoldfastError("A trigger embeds nothing", {
      code: "EMBEDDER_UNAVAILABLE",
      retryable: true,
    }),
  );

const awayEmbedder: Embedder = { identity: noModel, embed: noModel };
