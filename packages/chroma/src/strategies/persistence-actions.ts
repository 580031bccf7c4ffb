import { existsSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "@holdfast/core";
import type { Json, StepAction, StepContext, StepOutcome } from "@holdfast/recovery";
import { StoreError } from "@holdfast/store";
import { mergeSurvivors } from "../repairs/merge-survivors.ts";
import { moveOrphansAside } from "../repairs/orphan-folders.ts";
import { replaceDirectory } from "../repairs/replace-directory.ts";
import { salvageIndexes } from "../repairs/salvage-directory.ts";
import type { SalvagedIndex } from "../repairs/salvage-index.ts";
import { rewriteMagic } from "../repairs/sqlite-magic.ts";
import { forgetExits } from "../server/exit-history.ts";
import { inspectDataDirectory } from "../server/inspect-data-directory.ts";
import { quarantine, type Quarantined } from "../server/quarantine.ts";
import { putBack } from "./put-back.ts";
import {
  type BackupPort,
  type ChromaRecoveryDeps,
  holdsOthers,
  type ServerControl,
  storedAtLeast,
} from "./recovery-ports.ts";
import { restartAction } from "./service-strategy.ts";
import { type SalvageProof, verifySalvage } from "./verify-salvage.ts";

/** What the persistence strategy's steps do. Each may be run again after a kill at any point. */
export function persistenceActions(deps: ChromaRecoveryDeps): StepAction[] {
  const { server, backup } = deps;
  const rebuild: StepAction = {
    name: "rebuild-collection",
    run: (_parameters, context) => rebuildCollection(deps, context),
  };
  const restore = backup === undefined ? [] : [restoreAction(deps, backup)];
  if (server === undefined) return [rebuild, ...restore];
  return [
    restartAction(server),
    moveAsideAction(deps, server),
    replacing(deps, server, "salvage-index", (copy, original, { segments }) =>
      salvageIndexes(copy, original, segments as string[]),
    ),
    replacing(deps, server, "rewrite-sqlite-magic", (copy, original) => {
      rewriteMagic(copy);
      // Whoever damaged the one may have damaged the other.
      return salvageTorn(copy, original);
    }),
    replacing(deps, server, "merge-survivors", (copy, original) => {
      mergeSurvivors(copy);
      return salvageTorn(copy, original, { acceptLoss: true });
    }),
    orphansAction(deps, server),
    rebuild,
    ...restore,
  ];
}

function salvageTorn(
  copy: string,
  original: string,
  options: { acceptLoss?: boolean } = {},
): SalvagedIndex[] {
  const torn = inspectDataDirectory(copy).findings.flatMap((finding) =>
    finding.kind === "torn-index" ? [finding.segment] : [],
  );
  return torn.length === 0 ? [] : salvageIndexes(copy, original, torn, options);
}

function moveAsideAction(deps: ChromaRecoveryDeps, server: ServerControl): StepAction {
  const { clock = systemClock } = deps;
  return {
    name: "move-aside-and-rebuild",
    run: async ({ reason, whole }, context) => {
      await server.clear();
      const { damaged, findings } = inspectDataDirectory(server.dataDirectory);
      if (damaged || isDue(whole, context)) {
        const why = { reason: reason as string, evidence: findings };
        quarantine(server.dataDirectory, why, clock, rememberedBy(context));
      }
      forgetExits(server.dataDirectory);
      await server.start(context.signal);
      return rebuildCollection(deps, context);
    },
    undo: (_parameters, { remembered, signal }) =>
      putBack(server, remembered?.["aside"], "a rebuild that failed", clock, signal),
  };
}

/** A backup is restored into a store that runs: a damaged directory goes aside first. */
function restoreAction(
  { server, clock = systemClock }: ChromaRecoveryDeps,
  backup: BackupPort,
): StepAction {
  return {
    name: "restore-backup",
    run: async (_parameters, context) => {
      if (server !== undefined) {
        await server.clear();
        const { damaged, findings } = inspectDataDirectory(server.dataDirectory);
        if (damaged) {
          const why = { reason: "a backup is restored in its place", evidence: findings };
          quarantine(server.dataDirectory, why, clock, rememberedBy(context));
        }
        forgetExits(server.dataDirectory);
        await server.start(context.signal);
      }
      return { result: "repaired", message: await backup.restore(context.signal) };
    },
    ...(server === undefined
      ? {}
      : {
          undo: (_parameters: unknown, { remembered, signal }: StepContext) =>
            putBack(server, remembered?.["aside"], "a restore that failed", clock, signal),
        }),
  };
}

/** A repair on a copy that takes the directory's place, with the proof that it helped. */
function replacing(
  deps: ChromaRecoveryDeps,
  server: ServerControl,
  name: string,
  repair: (copy: string, original: string, parameters: Parameters) => SalvagedIndex[],
): StepAction {
  const { clock = systemClock } = deps;
  return {
    name,
    run: async (parameters, context) => {
      await server.clear();
      const { damaged, findings } = inspectDataDirectory(server.dataDirectory);
      // After a kill: what was salvaged then is still to be compared.
      let { aside, salvaged = [] } = (context.remembered ?? {}) as Repaired;
      if (damaged || isDue(parameters["whole"], context)) {
        const why = { reason: parameters["reason"] as string, evidence: findings };
        ({ result: salvaged, data: aside } = await replaceDirectory(
          server.dataDirectory,
          why,
          (copy, original) => {
            const result = repair(copy, original, parameters);
            context.remember({ salvaged: result.map((each) => ({ ...each })) });
            return result;
          },
          clock,
          rememberedBy(context),
        ));
      }
      forgetExits(server.dataDirectory);
      const endpoint = await server.start(context.signal);
      for (const index of salvaged) {
        if (index.lost.length > 0) {
          const gone = `${index.collection} has lost ${index.lost.length} records`;
          context.note(`${gone}: ${index.lost.join(", ")}`);
        }
        const proof = await verifySalvage(endpoint, index, aside as string, context.signal);
        context.note(`${index.collection}: ${sayProof(proof)}`);
      }
      return { result: "repaired", message: messageOf(name, salvaged) };
    },
    undo: (_parameters, { remembered, signal }) =>
      putBack(server, remembered?.["aside"], `a repair that failed (${name})`, clock, signal),
  };
}

function sayProof({ read, compared }: SalvageProof): string {
  const equal = `${compared} of them compared with the damaged index, all equal`;
  const none = "none compared: what is left does not say which of the damaged index is whose";
  return `${read} vectors read back, ${compared > 0 ? equal : none}`;
}

/** Before the directory is moved: killed after it, nobody else would know where it is. */
function rememberedBy({ remember, note }: StepContext): (aside: Quarantined) => void {
  return ({ folder, data }) => {
    remember({ aside: data });
    note(`the damaged data directory moves to ${folder}`);
  };
}

/** Files that look whole are replaced only once, also when the step is run again after a kill. */
function isDue(whole: Json | undefined, { remembered }: StepContext): boolean {
  const aside = remembered?.["aside"];
  return whole === true && !(typeof aside === "string" && existsSync(aside));
}

type Parameters = NonNullable<StepContext["remembered"]>;

/** What a repair remembers. */
interface Repaired {
  aside?: string;
  salvaged?: SalvagedIndex[];
}

async function rebuildCollection(
  { memory, store }: ChromaRecoveryDeps,
  { signal, note }: StepContext,
): Promise<StepOutcome> {
  await store.ping({ signal });
  const hasNothing = storedAtLeast(memory) === 0 && !holdsOthers(memory);
  if (hasNothing && (await isGone(store, memory.status().collection, signal))) {
    return { result: "repaired", message: "the store was empty, and is empty and whole" };
  }
  const { rebuilt, compared } = await memory.rebuild({ signal });
  note(`${rebuilt} memories written, ${compared} compared with the mirror, all equal`);
  return { result: "repaired", message: `${rebuilt} memories were rebuilt from the mirror` };
}

async function isGone(
  store: ChromaRecoveryDeps["store"],
  name: string,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await store.openCollection(name, { signal });
    return false;
  } catch (error) {
    if (error instanceof StoreError && error.code === "COLLECTION_NOT_FOUND") return true;
    throw error;
  }
}

function orphansAction({ clock }: ChromaRecoveryDeps, server: ServerControl): StepAction {
  return {
    name: "move-orphans-aside",
    run: async ({ segments }, { signal, note }) => {
      await server.clear();
      const names = (segments as string[]).filter((name) =>
        existsSync(join(server.dataDirectory, name)),
      );
      if (names.length > 0) {
        note(`they are now in ${moveOrphansAside(server.dataDirectory, names, clock)}`);
      }
      await server.start(signal);
      return { result: "repaired", message: `${names.length} folders were moved aside` };
    },
  };
}

function messageOf(name: string, salvaged: readonly SalvagedIndex[]): string {
  const records = salvaged.reduce((sum, each) => sum + each.fromIndex + each.fromQueue, 0);
  const names = salvaged.map(({ collection }) => collection).join(", ");
  const what = salvaged.length > 0 ? `; ${records} vectors of ${names} were salvaged` : "";
  return `${name} on a copy, which took the data directory's place${what}`;
}
