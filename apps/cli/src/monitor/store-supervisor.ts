import { chromaProof, chromaStrategies } from "@holdfast/chroma";
import { type Clock, systemClock, systemRandom } from "@holdfast/core";
import {
  CommandOrchestrator,
  HealthLoop,
  type HealthReport,
  type Orchestrator,
  RecoveryEngine,
  RecoveryJournal,
  RestartPolicy,
  Supervisor,
  type SupervisorEvent,
  SystemdOrchestrator,
} from "@holdfast/recovery";
import { isAnyTripped } from "../keeper/circuits.ts";
import { BY_HAND, STORE_SERVICE } from "../keeper/keeper.ts";
import { storeChecks } from "../keeper/store-checks.ts";
import type { RepairPorts } from "../recovery/store-recovery.ts";
import type { Parts } from "../wire.ts";
import { recoveryFileOf } from "../workspace.ts";
import { Foresight } from "./foresight.ts";
import { healthOptions, restartOptions } from "../health-options.ts";
import type { KeptServer } from "./kept-server.ts";
import { keeperCheck, memoryChecks } from "./memory-checks.ts";
import { configuredChecks } from "./service-checks.ts";

export interface StoreSupervisorOptions {
  /** Overrides the configuration's, in milliseconds. */
  intervalMs?: number;
  /** Repair unasked; without, only look. */
  recover: boolean;
}

export interface StoreSupervisorDeps {
  parts: Parts;
  /** Of a managed store. */
  keptServer: KeptServer | undefined;
  /** For the repair of a server that runs elsewhere. */
  repairs: RepairPorts;
  onEvent: (event: SupervisorEvent) => void;
  clock?: Clock;
}

/** The supervisor of the store in force, whoever runs it, and what it looks at. */
export class StoreSupervisor implements Disposable {
  readonly supervisor: Supervisor;
  readonly foresight: Foresight;
  readonly #journal: RecoveryJournal;
  readonly #health: HealthLoop;

  constructor(options: StoreSupervisorOptions, deps: StoreSupervisorDeps) {
    const { parts, keptServer, clock = systemClock } = deps;
    const { workspace, breaker } = parts;
    const { config } = workspace;
    const { intervalMs: keptIntervalMs } = healthOptions(config);
    const health = {
      ...healthOptions(config),
      ...(options.intervalMs && { intervalMs: options.intervalMs }),
    };
    this.#journal = RecoveryJournal.open(recoveryFileOf(workspace));
    this.foresight = new Foresight({
      watched: health.canary ? "canary" : "place",
      folder: workspace.stateDirectory,
      clock,
    });
    this.#health = new HealthLoop(health, {
      checks: [
        ...storeChecks(health, parts),
        ...memoryChecks(parts.memory, breaker),
        ...(workspace.dataDirectory === undefined
          ? []
          : [keeperCheck(workspace.dataDirectory, { intervalMs: keptIntervalMs, clock })]),
        ...this.foresight.checks,
        ...configuredChecks(config.health.services),
      ],
      clock,
      anxious: () => isAnyTripped(breaker) || this.foresight.alarming,
    });
    const orchestrator = keptServer ?? restarterOf(parts);
    const engine = keptServer === undefined ? this.#engine(deps, orchestrator) : undefined;
    this.supervisor = new Supervisor(
      {
        starts: options.recover && keptServer !== undefined,
        heals: options.recover,
        riskMax: config.recovery.risk_max,
      },
      {
        health: this.#health,
        policy: new RestartPolicy(restartOptions(config), { clock, random: systemRandom }),
        clock,
        ...(orchestrator === undefined ? {} : { orchestrator }),
        ...(engine === undefined ? {} : { engine }),
        onEvent: deps.onEvent,
      },
    );
  }

  /** What is believed now. */
  report(): HealthReport {
    return this.#health.report();
  }

  [Symbol.dispose](): void {
    this.#journal.close();
  }

  /** A managed store is repaired by its keeper; one that runs elsewhere, by us. */
  #engine(deps: StoreSupervisorDeps, orchestrator: Orchestrator | undefined): RecoveryEngine {
    const { store, memory } = deps.parts;
    const recovery = {
      store,
      memory,
      ...deps.repairs,
      ...(orchestrator === undefined ? {} : { orchestrator }),
    };
    return new RecoveryEngine(
      { service: STORE_SERVICE, byHand: BY_HAND },
      {
        journal: this.#journal,
        strategies: chromaStrategies(recovery),
        prove: chromaProof(recovery),
      },
    );
  }
}

function restarterOf({ workspace }: Parts): Orchestrator | undefined {
  const { restart_command: restart, restart_unit: unit } = workspace.config.recovery;
  if (restart !== undefined) return new CommandOrchestrator({ restart });
  return unit === undefined ? undefined : new SystemdOrchestrator({ unit });
}
