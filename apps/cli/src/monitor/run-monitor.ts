import { systemClock } from "@holdfast/core";
import type { HealthReport, SupervisorEvent } from "@holdfast/recovery";
import { requireSchedule, runScheduledBackups } from "../backup/scheduled-backups.ts";
import type { Context } from "../context.ts";
import { BreakerTeller } from "../keeper/breaker-teller.ts";
import { DrainBeside } from "../keeper/drain-beside.ts";
import { KeeperMetrics } from "../keeper/keeper-metrics.ts";
import { keeperTeller } from "../keeper-teller.ts";
import { repairPorts } from "../recovery/store-recovery.ts";
import { storeAccess } from "../store-access.ts";
import type { StoreAccess } from "../store-options.ts";
import { type Parts, wire } from "../wire.ts";
import { type Workspace, workspaceOf } from "../workspace.ts";
import { Alerts } from "./alerts.ts";
import { KeptServer } from "./kept-server.ts";
import { monitorLog } from "./monitor-log.ts";
import type { MonitorView } from "./monitor-view.ts";
import { StoreSupervisor } from "./store-supervisor.ts";
import { counted } from "../counted.ts";

export interface MonitorOptions {
  /** Overrides the configuration's, in milliseconds. */
  intervalMs?: number;
  alerts: boolean;
  once: boolean;
  recover: boolean;
}

export interface MonitorDeps {
  /** Made when there is something to show. */
  view: (report: () => HealthReport) => MonitorView;
  /** Called when the monitor is up; what it returns is called when it ends. */
  onUp: (parts: Parts, report: () => HealthReport) => Promise<() => Promise<void>>;
}

const TICK_MS = 250;

/**
 * Watches the store in force, repairs it, drains the outbox and tells people, until the context's
 * signal aborts, or with `once` a single time. Resolves with what is believed at the end.
 */
export async function runMonitor(
  options: MonitorOptions,
  context: Context,
  deps: MonitorDeps,
): Promise<HealthReport> {
  const loaded = context.config();
  await requireSchedule(loaded);
  const workspace = workspaceOf(loaded);
  const access = storeAccess(workspace, context.environment);
  const parts = await wire(workspace, { ...access, background: false });
  try {
    return await watchOver(parts, { options, context, access, deps });
  } finally {
    await parts.close();
  }
}

interface Watch {
  options: MonitorOptions;
  context: Context;
  access: StoreAccess;
  deps: MonitorDeps;
}

/** What may be refused comes before the listener, and the screen last: both must be given back. */
async function watchOver(
  parts: Parts,
  { options, context, access, deps }: Watch,
): Promise<HealthReport> {
  const { workspace } = parts;
  let note = (_line: string): void => undefined;
  const alerts = options.alerts ? alertsOf(workspace, context, (line) => note(line)) : undefined;
  const log = monitorLog(workspace.stateDirectory);
  const keptServer = keptServerOf(workspace, context);
  let see = (_event: SupervisorEvent): void => undefined;
  using store = new StoreSupervisor(options, {
    parts,
    keptServer,
    repairs: repairPorts(parts, access),
    onEvent: (event) => see(event),
  });
  const report = (): HealthReport => store.report();
  const down = await deps.onUp(parts, report);
  const view = logged(deps.view(report), log);
  note = (line) => view.note(line);
  const beside = new Beside(parts, view, keptServer === undefined);
  see = (event) => {
    view.see(event);
    alerts?.see(event);
    beside.see(event);
    if (event.type === "checked") store.foresight.see(event.report);
  };
  const { signal } = context;
  try {
    if (options.once) return await store.supervisor.once(signal);
    await beside.runWith(
      [
        (both) => store.supervisor.run(both),
        (both) => runScheduledBackups(parts, context, note, both),
      ],
      signal,
    );
    return report();
  } finally {
    try {
      await beside.stop();
      keptServer?.[Symbol.dispose]();
      await down();
      await alerts?.flush();
    } finally {
      view.close();
    }
  }
}

function keptServerOf({ dataDirectory }: Workspace, context: Context): KeptServer | undefined {
  if (dataDirectory === undefined) return undefined;
  const { file: configFile, again } = context.config();
  const onProgress = keeperTeller(context.output);
  return new KeptServer({ configFile, again, dataDirectory, onProgress });
}

function logged(view: MonitorView, log: ReturnType<typeof monitorLog>): MonitorView {
  return {
    ...view,
    see: (event) => {
      log.see(event);
      view.see(event);
    },
    note: (line) => {
      log.note(line);
      view.note(line);
    },
  };
}

function alertsOf(
  { config }: Workspace,
  { environment }: Context,
  onUndelivered: (line: string) => void,
): Alerts {
  return new Alerts(config.alerts, { environment, onUndelivered });
}

/** What a monitor does besides watching: for a store without a keeper, what a keeper would do. */
class Beside {
  readonly #drain: DrainBeside | undefined;
  readonly #teller: BreakerTeller;
  readonly #metrics: KeeperMetrics | undefined;
  readonly #clock = systemClock;
  #serving = false;

  constructor(parts: Parts, view: MonitorView, keeperless: boolean) {
    const { memory, store, breaker } = parts;
    this.#metrics = keeperless ? new KeeperMetrics(parts.metrics, this.#clock) : undefined;
    const logger = {
      info: (fields: object, message: string) => {
        const { stored } = fields as { stored?: number };
        view.note(
          stored === undefined ? message : `${message}: ${counted(stored, "write")} stored`,
        );
      },
      warn: (_fields: object, message: string) => view.note(message),
    };
    const metrics = this.#metrics;
    this.#drain = metrics && new DrainBeside({ memory, metrics, logger, clock: this.#clock });
    this.#teller = new BreakerTeller({
      breaker,
      memory,
      store,
      onEnded: () => this.#drain?.healed(),
    });
  }

  see(event: SupervisorEvent): void {
    if (event.type === "recovered") this.#drain?.healed();
    if (event.type !== "checked") return;
    const { status, checks } = event.report;
    const serving = status === "healthy" || status === "degraded";
    if (serving && !this.#serving) this.#drain?.healed();
    this.#serving = serving;
    if (serving) this.#teller.tell();
    else
      this.#metrics?.down(checks.find((check) => check.status === "fail")?.last.message ?? status);
    const canary = checks.find(({ check }) => check === "canary")?.last;
    if (serving && canary?.status === "pass") {
      this.#metrics?.canary(this.#clock.monotonic() - canary.tookMs);
    }
  }

  /** Runs all of `works` until the signal aborts, and drains beside them; one's error ends all. */
  async runWith(
    works: readonly ((signal: AbortSignal) => Promise<void>)[],
    signal: AbortSignal,
  ): Promise<void> {
    const ending = new AbortController();
    const both = AbortSignal.any([signal, ending.signal]);
    const running = [...works, (inner: AbortSignal) => this.#run(inner)].map((work) =>
      work(both).catch((error: unknown) => {
        ending.abort();
        throw error;
      }),
    );
    for (const each of await Promise.allSettled(running))
      if (each.status === "rejected") throw each.reason;
  }

  async stop(): Promise<void> {
    await this.#drain?.stop();
    await this.#teller.stop();
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#drain?.tick(this.#serving);
      try {
        await this.#clock.sleep(TICK_MS, signal);
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    }
  }
}
