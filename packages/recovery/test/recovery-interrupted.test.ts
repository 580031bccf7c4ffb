import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "@jest/globals";
import { type RecoveryEngine, RecoveryError } from "../src/index.ts";
import { FakeClock } from "@holdfast/core/testing";
import { engineOf, repaired } from "./engine-bench.ts";
import { scratchFolder, scratchJournal } from "./scratch.ts";
import { scripted } from "./scripted-strategy.ts";

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
  });

  test("what has ended well is told although the right to it cannot be given back", async () => {
    const path = join(scratchFolder(), "recovery.db");
    const other = new DatabaseSync(path);
    let isBroken = true;
    const step = { action: "work", run: () => ((isBroken = false), repaired()) };
    const engine = engineOf([scripted("files", () => isBroken, [step])], () => !isBroken, {
      journal: scratchJournal(path),
      onEvent: ({ type }) => type === "closed" && other.exec("BEGIN IMMEDIATE"),
    });
    await expect(engine.recover({ trigger: "test" })).resolves.toMatchObject({
      outcome: "recovered",
    });
    other.close();
  });

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
