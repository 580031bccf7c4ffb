import { describe, expect, test } from "@jest/globals";
import { HoldfastError, seededRandom } from "@holdfast/core";
import {
  HealthLoop,
  type OrchestratedExit,
  type Orchestrator,
  RecoveryEngine,
  type RecoveryJournal,
  restartStrategy,
  RestartPolicy,
  type RestartPolicyOptions,
  Supervisor,
  type SupervisorEvent,
  type SupervisorOptions,
} from "../src/index.ts";
import { FakeClock } from "@holdfast/core/testing";
import { SqliteError } from "@holdfast/sqlite";
import { after, scratchJournal } from "./scratch.ts";

/** A service that serves after `restartsNeeded` restarts of its next fall. */
class FakeService implements Orchestrator {
  readonly name = "fake";
  readonly clock: FakeClock;
  serves = true;
  restarts = 0;
  restartsNeeded = 1;
  /** Its starts fail, so nothing is looked at after them. */
  refuses = false;
  /** Nothing can be written down of them. */
  isDiskFull = false;
  /** How long it takes from its start to its first answer. */
  bootMs = 0;
  constructor(clock: FakeClock) {
    this.clock = clock;
  }

  #listener: ((exit: OrchestratedExit) => void) | undefined;

  state(): Promise<"running" | "stopped"> {
    return Promise.resolve(this.serves ? "running" : "stopped");
  }

  start(): Promise<void> {
    return this.restart();
  }

  stop(): Promise<void> {
    this.serves = false;
    return Promise.resolve();
  }

  restart(): Promise<void> {
    if (this.isDiskFull) {
      const full = { code: "SQLITE_FULL", path: "keeper.db", hint: "Free some space." };
      return Promise.reject(new SqliteError("the disk is full", full));
    }
    this.restarts += 1;
    if (this.refuses) {
      const code = "ORCHESTRATOR_FAILED";
      return Promise.reject(new HoldfastError("no such program", { code, retryable: true }));
    }
    const willServe = this.restarts >= this.restartsNeeded;
    if (this.bootMs === 0) this.serves = willServe;
    else void this.clock.sleep(this.bootMs).then(() => (this.serves = willServe));
    return Promise.resolve();
  }

  onExit(listener: (exit: OrchestratedExit) => void): () => void {
    this.#listener = listener;
    return () => (this.#listener = undefined);
  }

  fall(ranMs: number): void {
    this.serves = false;
    this.restarts = 0;
    this.#listener?.({ ranMs, how: "SIGSEGV" });
  }
}

function supervised(
  options: SupervisorOptions & {
    restart?: RestartPolicyOptions;
    repair?: () => void;
    refuses?: boolean;
    /** Every attempt is a restart. */
    engineless?: boolean;
  } = {},
): {
  service: FakeService;
  clock: FakeClock;
  events: SupervisorEvent[];
  journal: RecoveryJournal;
  ended: Promise<unknown>;
} {
  const clock = new FakeClock();
  const journal = scratchJournal();
  const service = new FakeService(clock);
  service.refuses = options.refuses ?? false;
  service.serves = !service.refuses;
  const alive = {
    name: "alive",
    severity: "offline" as const,
    run: () =>
      service.serves
        ? ({ status: "pass", message: "it answers" } as const)
        : ({ status: "fail", message: "no answer" } as const),
  };
  const health = new HealthLoop({ intervalMs: 30_000 }, { checks: [alive], clock });
  const strategy = restartStrategy({}, { orchestrator: service, checks: [alive], clock });
  const repaired = {
    ...strategy,
    actions: strategy.actions.map((action) => ({
      ...action,
      run: (...given: Parameters<typeof action.run>) => {
        options.repair?.();
        return action.run(...given);
      },
    })),
  };
  const engine = new RecoveryEngine(
    { service: "shop" },
    { journal, strategies: [repaired], prove: alive.run, clock },
  );
  const events: SupervisorEvent[] = [];
  const policy = new RestartPolicy(options.restart ?? {}, { clock, random: seededRandom(7) });
  const supervisor = new Supervisor(options, {
    health,
    ...(options.engineless === true ? {} : { engine }),
    orchestrator: service,
    policy,
    clock,
    onEvent: (event) => events.push(event),
  });
  const stop = new AbortController();
  after(() => stop.abort());
  const ended = supervisor.run(stop.signal).catch((error: unknown) => error);
  return { service, clock, events, journal, ended };
}

function decisions(events: readonly SupervisorEvent[]): string[] {
  return events.flatMap((event) => (event.type === "decided" ? [event.decision.action] : []));
}

describe("a supervisor", () => {
  // `monitor --once` told the same look twice.
  test("that is to look once does so, where it starts the service too", async () => {
    const clock = new FakeClock();
    const service = new FakeService(clock);
    const pass = { status: "pass", message: "it answers" } as const;
    const alive = { name: "alive", severity: "offline" as const, run: () => pass };
    const events: string[] = [];
    const supervisor = new Supervisor(
      { starts: true },
      {
        health: new HealthLoop({}, { checks: [alive], clock }),
        orchestrator: service,
        policy: new RestartPolicy({}, { clock, random: seededRandom(7) }),
        clock,
        onEvent: ({ type }) => events.push(type),
      },
    );
    expect((await supervisor.once(new AbortController().signal)).status).toBe("healthy");
    expect(events).toEqual(["checked", "status"]);
  });

  test("sees an end at once, not at the next tick, and restarts", async () => {
    const { service, clock, events } = supervised();
    await clock.advance(1_000);
    service.fall(3_600_000);
    await clock.advance(250);
    expect(service.serves).toBe(true);
    expect(events.map(({ type }) => type)).toEqual([
      "checked",
      "status",
      "exit",
      "decided",
      "checked",
      "recovered",
    ]);
    expect(events.at(-1)).toMatchObject({ by: "restart" });
  });

  test("after two quick crashes looks for the cause, and does not just start it a third time", async () => {
    const { service, clock, events } = supervised();
    await clock.advance(1_000);
    service.fall(3_600_000);
    await clock.advance(1_000);
    service.fall(900);
    await clock.advance(1_000);
    expect(decisions(events)).toEqual(["restart", "recover"]);
    expect(events.at(-1)).toMatchObject({ type: "recovered", by: { outcome: "recovered" } });
  });

  test("gives a service that was started the time that it needs", async () => {
    const { service, clock, events } = supervised();
    await clock.advance(1_000);
    service.bootMs = 20_000;
    service.fall(3_600_000);
    await clock.advance(25_000);
    expect(decisions(events)).toEqual(["restart"]);
    expect(events.at(-1)).toMatchObject({ type: "recovered", by: "restart" });
  });

  test("repairs a service that runs and does not answer, after the threshold", async () => {
    const { service, clock, events } = supervised();
    await clock.advance(1_000);
    service.serves = false;
    await clock.advance(30_000);
    expect(decisions(events)).toEqual([]);
    await clock.advance(3_000);
    expect(decisions(events)).toEqual(["recover"]);
    expect(service.serves).toBe(true);
  });

  test("gives up after the restart intensity, tries no more, and begins anew once it serves", async () => {
    const { service, clock, events } = supervised({ restart: { attemptsMax: 3 } });
    await clock.advance(1_000);
    service.restartsNeeded = 100;
    service.fall(10);
    await clock.advance(300_000);
    expect(decisions(events)).toEqual(["restart", "recover", "recover", "give-up"]);
    const { restarts } = service;
    await clock.advance(600_000);
    expect(service.restarts).toBe(restarts);
    service.serves = true;
    await clock.advance(60_000);
    expect(events.at(-2)).toMatchObject({ type: "recovered" });
    service.restartsNeeded = 1;
    service.fall(3_600_000);
    await clock.advance(1_000);
    expect(service.serves).toBe(true);
  });

  // Whoever had freed the disk found the service down for ever.
  test("gives up on a full disk, says so once, and begins anew once there is room", async () => {
    const { service, clock, events } = supervised({ engineless: true });
    await clock.advance(1_000);
    service.isDiskFull = true;
    service.fall(10);
    await clock.advance(600_000);
    expect(events.filter(({ type }) => type === "gave-up")).toMatchObject([
      { message: "the disk is full", hint: "Free some space." },
    ]);
    expect(service.serves).toBe(false);
    service.isDiskFull = false;
    await clock.advance(60_000);
    expect(service.serves).toBe(true);
    expect(events.findLast(({ type }) => type === "recovered")).toBeDefined();
  });

  // One bad look is not believed after good ones: those were of what had ended meanwhile.
  test("does not take a service that cannot be started for one that serves", async () => {
    const { service, clock, events } = supervised({ restart: { attemptsMax: 3 } });
    await clock.advance(1_000);
    service.refuses = true;
    service.fall(10);
    await clock.advance(300_000);
    expect(decisions(events)).toEqual(["restart", "recover", "recover", "give-up"]);
    expect(events.filter(({ type }) => type === "recovered")).toEqual([]);
    expect(events.findLast(({ type }) => type === "status")).toMatchObject({ to: "offline" });
  });

  test("says between attempts how it is, and makes no more of them once somebody else has helped", async () => {
    const { service, clock, events } = supervised({ restart: { attemptsMax: 100 } });
    await clock.advance(1_000);
    service.refuses = true;
    service.fall(10);
    await clock.advance(2_000);
    expect(events.findLast(({ type }) => type === "status")).toMatchObject({ to: "offline" });
    service.serves = true;
    await clock.advance(60_000);
    const made = decisions(events).length;
    expect(events.findLast(({ type }) => type === "recovered")).toBeDefined();
    await clock.advance(60_000);
    expect(decisions(events)).toHaveLength(made);
  });

  test("attempts at one trouble are one incident, also of a service that does not even start", async () => {
    const { service, clock, events, journal } = supervised({ starts: true, refuses: true });
    await clock.advance(60_000);
    expect(decisions(events).at(-1)).toBe("give-up");
    service.serves = true;
    await clock.advance(60_000);
    expect(journal.incidents()).toHaveLength(1);
    expect(events.findLast(({ type }) => type === "recovered")).toBeDefined();
  });

  test("ends with the reason when it was told to, and the service is down", async () => {
    const { service, clock, ended } = supervised({
      endsWhenDown: true,
      restart: { attemptsMax: 2 },
    });
    await clock.advance(1_000);
    service.restartsNeeded = 100;
    service.fall(10);
    await clock.advance(300_000);
    expect(await ended).toMatchObject({ code: "SERVICE_UNHEALED" });
  });

  test("what a repair failed with is what it gives up with", async () => {
    const { service, clock, ended } = supervised({
      repair: () => {
        throw new HoldfastError("the disk is full", { code: "DISK_FULL" });
      },
      endsWhenDown: true,
      restart: { attemptsMax: 1, quickCrashesMax: 1 },
    });
    await clock.advance(1_000);
    service.fall(10);
    await clock.advance(120_000);
    expect(String(await ended)).toContain("the disk is full");
  });
});
