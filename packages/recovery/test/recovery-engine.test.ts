import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "@jest/globals";
import {
  type CheckOutcome,
  RecoveryEngine,
  type RecoveryEngineDeps,
  RecoveryError,
  type RecoveryEvent,
  type RecoveryStrategy,
  type StepOutcome,
} from "../src/index.ts";
import { FakeClock } from "@holdfast/core/testing";
import { scratchFolder, scratchJournal } from "./scratch.ts";
import { scripted } from "./scripted-strategy.ts";

const PASS: CheckOutcome = { status: "pass", message: "the canary came back" };
const repaired = (): StepOutcome => ({ result: "repaired", message: "" });
const FAIL: CheckOutcome = { status: "fail", message: "no answer", hint: "look at its log" };

function engineOf(
  strategies: readonly RecoveryStrategy[],
  serves: () => boolean,
  deps: Partial<RecoveryEngineDeps> = {},
): RecoveryEngine {
  return new RecoveryEngine(
    { service: "shop" },
    {
      journal: scratchJournal(),
      strategies,
      prove: () => (serves() ? PASS : FAIL),
      clock: new FakeClock(),
      ...deps,
    },
  );
}

describe("a plan", () => {
  test("keeps the order of the strategies, and ranks the steps of one by risk, then cost", async () => {
    const broken = (): boolean => true;
    const engine = engineOf(
      [
        scripted("process", broken, [
          { action: "kill", risk: "medium" },
          { action: "wait", risk: "none", costMs: 900 },
          { action: "look", risk: "none", costMs: 5 },
        ]),
        scripted("files", broken, [{ action: "touch", risk: "none" }]),
      ],
      () => false,
    );
    const { steps, healthy } = await engine.plan();
    expect(healthy).toBe(false);
    expect(steps.map(({ step }) => step.action)).toEqual(["look", "wait", "kill", "touch"]);
  });

  test("a strategy that cannot look is a finding, and hides no other", async () => {
    const blind: RecoveryStrategy = {
      name: "blind",
      diagnose: () => Promise.reject(new Error("EACCES")),
      actions: [],
    };
    const engine = engineOf(
      [blind, scripted("files", () => true, [{ action: "touch" }])],
      () => false,
    );
    const plan = await engine.plan();
    expect(plan.diagnoses[0]).toMatchObject({
      healthy: false,
      findings: [{ check: "blind", message: "it could not look: EACCES" }],
    });
    expect(plan.steps).toHaveLength(1);
  });

  test("writes nothing and keeps nobody out", async () => {
    const journal = scratchJournal();
    const engine = engineOf([scripted("files", () => true, [{ action: "touch" }])], () => false, {
      journal,
    });
    const hold = journal.hold("shop", 0, 60_000);
    await engine.plan();
    expect(journal.incidents()).toEqual([]);
    hold?.release();
  });
});

describe("a recovery", () => {
  test("of a healthy service does nothing and records nothing", async () => {
    const journal = scratchJournal();
    const engine = engineOf([scripted("files", () => false, [])], () => true, { journal });
    expect(await engine.recover({ trigger: "test" })).toMatchObject({
      outcome: "healthy",
      incident: undefined,
    });
    expect(journal.incidents()).toEqual([]);
  });

  test("with force runs the steps of a healthy service", async () => {
    let ran = 0;
    const step = {
      action: "touch",
      run: () => (ran++, repaired()),
    };
    const engine = engineOf([scripted("files", () => false, [step])], () => true);
    const report = await engine.recover({ trigger: "test", force: true });
    expect(report.outcome).toBe("recovered");
    expect(ran).toBe(1);
  });

  test("goes from step to step until one is proved to have sufficed", async () => {
    let broken = true;
    const ran: string[] = [];
    const events: RecoveryEvent["type"][] = [];
    const engine = engineOf(
      [
        scripted("process", () => broken, [
          {
            action: "nudge",
            risk: "none",
            run: () => (ran.push("nudge"), { result: "nothing-to-do", message: "it runs" }),
          },
          {
            action: "restart",
            run: () => (ran.push("restart"), { result: "insufficient", message: "it ended again" }),
          },
        ]),
        scripted("files", () => broken, [
          {
            action: "repair",
            run: () => (
              (broken = false),
              ran.push("repair"),
              { result: "repaired", message: "rebuilt" }
            ),
          },
          {
            action: "never",
            risk: "high",
            run: () => (ran.push("never"), repaired()),
          },
        ]),
      ],
      () => !broken,
      { onEvent: ({ type }) => events.push(type) },
    );
    const { outcome, incident } = await engine.recover({ trigger: "3 failures of canary" });
    expect(outcome).toBe("recovered");
    expect(ran).toEqual(["nudge", "restart", "repair"]);
    expect(incident).toMatchObject({
      state: "recovered",
      trigger: "3 failures of canary",
      message: "the canary came back",
      proof: PASS,
    });
    expect(incident?.steps.map(({ state }) => state)).toEqual([
      "nothing-to-do",
      "insufficient",
      "repaired",
      "skipped",
    ]);
    // The second strategy is asked when the first one's steps have not sufficed.
    expect(events.join(" ")).toBe(
      "opened planned step-began step-ended step-began step-ended proved " +
        "planned step-began step-ended proved closed",
    );
  });

  test("plans anew after a repair that did not suffice, and tries no step twice", async () => {
    let wrong = 2;
    const restart = {
      action: "restart",
      run: () => ((wrong -= 1), repaired()),
    };
    const engine = engineOf(
      [
        scripted("process", () => wrong > 0, [restart]),
        scripted("files", () => wrong === 1, [{ ...restart, action: "repair" }]),
      ],
      () => wrong === 0,
    );
    const { incident } = await engine.recover({ trigger: "test" });
    expect(incident?.steps.map(({ planned, state }) => [planned.action, state])).toEqual([
      ["restart", "repaired"],
      ["repair", "repaired"],
    ]);
  });

  test("says that it failed when everything was tried", async () => {
    const engine = engineOf([scripted("files", () => true, [{ action: "touch" }])], () => false);
    expect(await engine.recover({ trigger: "test" })).toMatchObject({
      outcome: "failed",
      message: "no answer",
      hint: "look at its log",
    });
  });

  test("further attempts at the same trouble are one incident, and may repeat a step", async () => {
    const journal = scratchJournal();
    let ran = 0;
    const step = { action: "touch", run: () => (ran++, repaired()) };
    const engine = engineOf([scripted("files", () => true, [step])], () => ran === 2, { journal });
    expect((await engine.recover({ trigger: "first", since: 7 })).outcome).toBe("failed");
    expect((await engine.recover({ trigger: "second", since: 7 })).outcome).toBe("recovered");
    expect(journal.incidents()).toMatchObject([
      { trigger: "first", state: "recovered", steps: [{ attempts: 1 }, { attempts: 1 }] },
    ]);
    await engine.recover({ trigger: "third", since: 7, force: true });
    expect(journal.incidents()).toHaveLength(2);
  });

  test("says what only a person can do", async () => {
    const refusal = { message: "12 records would be lost", hint: "restore a backup" };
    const engine = engineOf([scripted("files", () => true, [], refusal)], () => false);
    expect(await engine.recover({ trigger: "test" })).toMatchObject({
      outcome: "refused",
      ...refusal,
    });
  });

  test("leaves steps of greater risk than allowed to a person", async () => {
    let ran = false;
    const step = {
      action: "merge",
      risk: "high",
      run: () => ((ran = true), repaired()),
    } as const;
    const strategies = [scripted("files", () => true, [step])];
    const engine = engineOf(strategies, () => ran);
    const refused = await engine.recover({ trigger: "unasked", riskMax: "medium" });
    expect(refused.outcome).toBe("refused");
    expect(refused.message).toContain("merge: its risk is high");
    expect(ran).toBe(false);
    expect((await engine.recover({ trigger: "asked" })).outcome).toBe("recovered");
  });

  test("the bound of plans ends one whose steps are new each time", async () => {
    let offered = 0;
    const endless: RecoveryStrategy = {
      ...scripted("files", () => true, [{ action: "touch" }]),
      diagnose: async (context) => {
        const found = await scripted("files", () => true, [
          { action: "touch", parameters: { time: offered++ } },
        ]).diagnose(context);
        return found;
      },
    };
    const { outcome, incident } = await engineOf([endless], () => false).recover({
      trigger: "test",
    });
    expect(outcome).toBe("failed");
    expect(incident?.steps).toHaveLength(8);
  });
});

describe("a step that fails", () => {
  test("is undone from what it remembered, and the next one is run", async () => {
    const undone: unknown[] = [];
    let serves = false;
    const engine = engineOf(
      [
        scripted("files", () => !serves, [
          {
            action: "swap",
            risk: "none",
            run: ({ remember, note }) => {
              remember({ from: "a" });
              remember({ to: "b" });
              note("halfway");
              throw new Error("ENOSPC");
            },
            undo: ({ remembered }) => void undone.push(remembered),
          },
          { action: "copy", run: () => ((serves = true), repaired()) },
        ]),
      ],
      () => serves,
    );
    const { incident } = await engine.recover({ trigger: "test" });
    expect(undone).toEqual([{ from: "a", to: "b" }]);
    expect(incident?.steps.map(({ state, message }) => [state, message])).toEqual([
      ["undone", "ENOSPC; what it had changed was put back"],
      ["repaired", ""],
    ]);
    expect(incident?.notes.map(({ message }) => message)).toEqual(["halfway"]);
  });

  test("says so when putting back fails as well", async () => {
    const fail = (why: string) => () => {
      throw new Error(why);
    };
    const steps = [{ action: "swap", run: fail("ENOSPC"), undo: fail("EIO") }];
    const { incident } = await engineOf(
      [scripted("files", () => true, steps)],
      () => false,
    ).recover({
      trigger: "test",
    });
    expect(incident?.message).toBe("swap: ENOSPC; putting it back failed: EIO");
    expect(incident?.steps[0]).toMatchObject({
      state: "undo-failed",
      message: "ENOSPC; putting it back failed: EIO",
    });
  });
});

describe("told to stop", () => {
  test("it undoes the step at hand, closes the incident, and throws the reason", async () => {
    const stop = new AbortController();
    let undone = false;
    const journal = scratchJournal();
    const step = {
      action: "swap",
      run: ({ signal }: { signal: AbortSignal }) => {
        stop.abort(new Error("Ctrl-C"));
        signal.throwIfAborted();
        return repaired();
      },
      undo: () => void (undone = true),
    };
    const engine = engineOf([scripted("files", () => true, [step])], () => false, { journal });
    await expect(engine.recover({ trigger: "test", signal: stop.signal })).rejects.toThrow(
      "Ctrl-C",
    );
    expect(undone).toBe(true);
    expect(journal.incidents()[0]).toMatchObject({
      state: "aborted",
      steps: [{ state: "undone" }],
    });
    expect(journal.unfinished("shop")).toBeUndefined();
  });
});

describe("one at a time", () => {
  test("a second recovery of the service is refused, and names the first", async () => {
    const journal = scratchJournal();
    let inner: unknown;
    const step = {
      action: "wait",
      run: async () => {
        inner = await engine.recover({ trigger: "second" }).catch((error: unknown) => error);
        return repaired();
      },
    };
    const engine: RecoveryEngine = engineOf([scripted("files", () => true, [step])], () => false, {
      journal,
    });
    const { incident } = await engine.recover({ trigger: "first" });
    expect(inner).toBeInstanceOf(RecoveryError);
    expect(inner).toMatchObject({ code: "RECOVERY_BUSY", retryable: true });
    expect(String(inner)).toContain(`${incident?.id} (first)`);
  });

  test("who stood still for too long writes nothing more, and the other one has it", async () => {
    const clock = new FakeClock();
    const journal = scratchJournal();
    let taken: unknown;
    const step = {
      action: "stall",
      run: ({ note }: { note: (message: string) => void }) => {
        // As after SIGSTOP: time has passed for the other one, and no timer of this one has run.
        taken = journal.hold("shop", clock.monotonic() + 3_600_000, 60_000);
        note("I am still here");
        return repaired();
      },
    };
    const engine = engineOf([scripted("files", () => true, [step])], () => false, {
      journal,
      clock,
    });
    await expect(engine.recover({ trigger: "test" })).rejects.toMatchObject({
      code: "RECOVERY_LEASE_LOST",
    });
    expect(taken).toBeDefined();
    expect(journal.unfinished("shop")?.notes).toEqual([]);
  });

  test("a journal that is busy when the right is to be renewed ends no recovery", async () => {
    const clock = new FakeClock();
    const path = join(scratchFolder(), "recovery.db");
    let isBroken = true;
    const step = {
      action: "work",
      run: async ({ signal }: { signal: AbortSignal }) => {
        const other = new DatabaseSync(path);
        other.exec("BEGIN IMMEDIATE");
        await clock.advance(20_000);
        other.close();
        signal.throwIfAborted();
        isBroken = false;
        return repaired();
      },
    };
    const deps = { journal: scratchJournal(path), clock };
    const engine = engineOf([scripted("files", () => isBroken, [step])], () => !isBroken, deps);
    await expect(engine.recover({ trigger: "test" })).resolves.toMatchObject({
      outcome: "recovered",
    });
  }, 30_000);

  test.each([-86_400_000, 86_400_000])(
    "a wall clock that jumps by %i ms lets nobody else in",
    async (jumpMs) => {
      const clock = new FakeClock();
      const journal = scratchJournal();
      let taken: unknown;
      const step = {
        action: "work",
        run: () => {
          clock.jump(jumpMs);
          taken = journal.hold("shop", clock.monotonic(), 60_000);
          return repaired();
        },
      };
      let isBroken = true;
      const repair = (): boolean => {
        isBroken = false;
        return true;
      };
      const deps = { journal, clock };
      const engine = engineOf([scripted("files", () => isBroken, [step])], repair, deps);
      await expect(engine.recover({ trigger: "test" })).resolves.toMatchObject({
        outcome: "recovered",
      });
      expect(taken).toBeUndefined();
    },
  );

  test.each([
    ["that ended well", repaired],
    [
      "that failed",
      (): never => {
        throw new Error("the disk is full");
      },
    ],
  ])("who stood still for too long undoes no step %s: the other one is at it", async (_, end) => {
    const clock = new FakeClock();
    const journal = scratchJournal();
    let undone = 0;
    const step = {
      action: "stall",
      run: () => {
        journal.hold("shop", clock.monotonic() + 3_600_000, 60_000);
        return end();
      },
      undo: () => void (undone += 1),
    };
    const engine = engineOf([scripted("files", () => true, [step])], () => false, {
      journal,
      clock,
    });
    await expect(engine.recover({ trigger: "test" })).rejects.toMatchObject({
      code: "RECOVERY_LEASE_LOST",
    });
    expect(undone).toBe(0);
  });
});
