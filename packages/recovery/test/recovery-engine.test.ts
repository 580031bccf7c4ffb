import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "@jest/globals";
import { type RecoveryEvent, type RecoveryStrategy } from "../src/index.ts";
import { engineOf, PASS, repaired } from "./engine-bench.ts";
import { scratchFolder, scratchJournal } from "./scratch.ts";
import { scripted, type ScriptedStep } from "./scripted-strategy.ts";

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

  test("runs all that is planned by force for a healthy service, as it was shown", async () => {
    const ran: string[] = [];
    const step = (action: string): ScriptedStep => ({
      action,
      run: () => (ran.push(action), repaired()),
    });
    const strategies = [
      scripted("process", () => false, [step("restart")]),
      scripted("files", () => false, [step("rebuild"), step("tidy")]),
    ];
    const engine = engineOf(strategies, () => true);
    const forced = await engine.plan({ force: true });
    expect(forced.steps.map(({ step: { action } }) => action)).toEqual([
      "restart",
      "rebuild",
      "tidy",
    ]);
    const report = await engine.recover({ trigger: "test", forced });
    expect(report).toMatchObject({ outcome: "recovered", incident: { steps: { length: 3 } } });
    expect(ran).toEqual(["restart", "rebuild", "tidy"]);
  });

  test("runs no more of it after a step that failed", async () => {
    const ran: string[] = [];
    const fails = { action: "restart", run: () => Promise.reject(new Error("it does not start")) };
    const next = { action: "rebuild", run: () => (ran.push("rebuild"), repaired()) };
    const engine = engineOf([scripted("files", () => false, [fails, next])], () => false);
    const forced = await engine.plan({ force: true });
    expect(await engine.recover({ trigger: "test", forced })).toMatchObject({ outcome: "failed" });
    expect(ran).toEqual([]);
  });

  test("by force too, runs of a broken service only until it works", async () => {
    let broken = true;
    const ran: string[] = [];
    const steps = ["mend", "replace"].map((action) => ({
      action,
      run: () => ((broken = false), ran.push(action), repaired()),
    }));
    const engine = engineOf([scripted("files", () => broken, steps)], () => !broken);
    const forced = await engine.plan({ force: true });
    await engine.recover({ trigger: "test", forced });
    expect(ran).toEqual(["mend"]);
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
    const forced = await engine.plan({ force: true });
    await engine.recover({ trigger: "third", since: 7, forced: { ...forced, healthy: true } });
    expect(journal.incidents()).toHaveLength(2);
  });

  // The newest by the clock were kept, so that it was forgotten as soon as it was opened.
  test("of a clock that was set back is kept though a thousand seem newer", async () => {
    const path = join(scratchFolder(), "recovery.db");
    const journal = scratchJournal(path);
    using db = new DatabaseSync(path);
    db.exec(`
      WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
      INSERT INTO incident (id, service, cause, state, since, opened_at)
      SELECT 'old-' || i, 'shop', 'test', 'recovered', i, 4000000000000 FROM n`);
    const engine = engineOf([scripted("files", () => true, [{ action: "touch" }])], () => true, {
      journal,
    });
    const { incident } = await engine.recover({ trigger: "now" });
    expect(incident?.trigger).toBe("now");
    expect(journal.incident("old-1")).toBeUndefined();
    expect(journal.incident("old-2")).toBeDefined();
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
