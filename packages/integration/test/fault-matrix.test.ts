import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, jest, test } from "@jest/globals";
import { scrubCheck } from "@holdfast/chroma";
import {
  type CheckResult,
  HEALTH_DEFAULTS,
  type RecoveryReport,
  runChecks,
} from "@holdfast/recovery";
import { clockObstacle, mountObstacle, settableClock, smallDisk } from "@holdfast/testkit";
import { CLOCK_FAULTS } from "./fault-matrix/clock-faults.ts";
import { ELSEWHERE_FAULTS } from "./fault-matrix/elsewhere-faults.ts";
import { type Fault, FAULTS, type Lift } from "./fault-matrix/faults.ts";
import { machineFaults } from "./fault-matrix/machine-faults.ts";
import { type MatrixRow, matrixPage, rowsOf } from "./fault-matrix/matrix-page.ts";
import { addForeign, makeModel, MEMORIES, MEMORIES_FEW, Stage } from "./fault-matrix/stage.ts";
import { type TestedBuild, testedBuilds } from "./support/server-builds.ts";

// Real servers on a machine that may be busy: the table says how long things took, nothing asserts.
jest.setTimeout(600_000);

const PAGE = fileURLToPath(new URL("../../../docs/fault-matrix.md", import.meta.url));
const DISK_MB = 120;
const builds = testedBuilds();
const faults = [...FAULTS, ...machineFaults(builds[1]), ...CLOCK_FAULTS, ...ELSEWHERE_FAULTS];
/**
 * What a person who changes Chroma's repairs runs: every fault on every build, with as many memories
 * as the page says. Otherwise each fault is run once, the newer build where it behaves otherwise.
 */
const isWhole =
  process.env["HOLDFAST_FAULT_MATRIX"] === "whole" || process.env["HOLDFAST_WRITE_DOCS"] === "1";
const PROBES = isWhole ? 100 : 25;
const rows: MatrixRow[] = [];
/** Undefined until it was looked for some. */
let falseAlarms: string[] | undefined;
const mounts = mountObstacle();
const clocks = clockObstacle();

describe.each(builds)("$name", (build) => {
  const models = new Map<number, string>();
  const modelOf = async (memories: number): Promise<string> => {
    const model = models.get(memories) ?? (await makeModel(build, memories));
    models.set(memories, model);
    return model;
  };
  afterAll(() => {
    for (const model of models.values()) rmSync(model, { recursive: true, force: true });
  });

  const run = async (fault: Fault): Promise<void> => {
    const memories = isWhole || fault.onIndex ? MEMORIES : MEMORIES_FEW;
    const model = await modelOf(memories);
    using disk = fault.onSmallDisk ? smallDisk(DISK_MB) : undefined;
    using clock = fault.setsClock ? settableClock({ inherited: true }) : undefined;
    await using stage = await Stage.copyOf(model, {
      build,
      ...(disk === undefined ? {} : { root: join(disk.path, "root") }),
      ...(clock === undefined ? {} : { clock }),
    });
    const foreign = fault.withForeign ? await addForeign(stage) : undefined;
    expect(await reds(stage)).toEqual([]);

    const lift = await fault.inject(stage);
    await using lifted = liftOnce(lift);
    const { found, tookMs } = await foundOf(stage, fault);
    const plan = await stage.plan();
    let report = await recover(stage, found);
    const row: MatrixRow = {
      fault: fault.name,
      build: build.name,
      check: found?.check,
      redAfterMs: tookMs,
      told: found?.message ?? "nothing",
      hint: found?.hint,
      plan: plan.steps.map(({ step }) => step.title),
      outcome: report.outcome,
      repaired: repairsOf(report),
      message: report.message,
      next: report.hint,
      memories: 0,
    };
    expect(report.outcome).toBe(fault.ends);
    // Whoever is needed is told what to do, and is not needed again after that.
    const told = report.hint;
    await lifted[Symbol.asyncDispose]();
    if (lift !== undefined) report = await recoverUntilGreen(stage, found);
    const needsPerson = fault.ends === "refused" || fault.ends === "failed";
    expect([!needsPerson || told !== undefined, isBack(report)]).toEqual([true, true]);

    await stage.memory.drain();
    const { compared, equal, missing, different } = await stage.memory.compare();
    expect({ equal, missing, different }).toEqual({ equal: true, missing: [], different: [] });
    expect(compared).toBeGreaterThanOrEqual(memories);
    if (foreign !== undefined) await expectForeign(stage, foreign);
    // After a full disk some of Chroma's connections hang, and not at once.
    if (fault.onSmallDisk) await recoverUntilGreen(stage, found);
    expect(await reds(stage)).toEqual([]);
    rows.push({ ...row, memories: compared });
  };
  for (const fault of faultsOn(build)) {
    const obstacle = obstacleTo(fault);
    const whenShown = obstacle === undefined ? test : test.skip;
    const title = obstacle === undefined ? fault.name : `${fault.name} (${obstacle})`;
    whenShown(title, () => run(fault));
  }

  test(`${PROBES} probes of a healthy store under load raise no alarm`, async () => {
    await using stage = await Stage.copyOf(await modelOf(isWhole ? MEMORIES : MEMORIES_FEW), {
      build,
    });
    const writing = new AbortController();
    const load = (async () => {
      for (let n = 0; !writing.signal.aborted; n += 1) {
        await stage.memory.addMany(
          Array.from({ length: 20 }, (_, i) => ({ text: `under load ${n} ${i}` })),
          { waitMs: 0 },
        );
        await stage.memory.drain();
      }
    })();
    const alarms: string[] = [];
    // The page says it of the limit that users have; in any other run a busy machine raises none.
    const timeoutMs = isWhole ? HEALTH_DEFAULTS.timeoutMs : PATIENCE_MS;
    for (let n = 0; n < PROBES; n += 1) {
      const results = await runChecks(
        // Memories under way are no loss: what must be there is asked for afterwards.
        stage.checks(timeoutMs).filter(({ name }) => name !== "collection"),
        { timeoutMs },
      );
      alarms.push(...results.filter(({ status }) => status === "fail").map(lineOf));
    }
    writing.abort();
    await load;
    falseAlarms = [...(falseAlarms ?? []), ...alarms.map((alarm) => `${build.name}: ${alarm}`)];
    expect(alarms).toEqual([]);
    expect((await stage.memory.compare()).equal).toBe(true);
  });
});

test("what this run leaves out was run, and stands in the page", () => {
  if (process.env["HOLDFAST_WRITE_DOCS"] === "1") return;
  const all = builds.flatMap((build) =>
    named(
      faults.filter((fault) => meant(fault, build)),
      build,
    ),
  );
  const run = builds.flatMap((build) => named(faultsOn(build), build));
  const left = all.filter((row) => !run.includes(row));
  if (left.length > 0) {
    process.stderr.write(
      `Left to \`pnpm run fault-matrix\`: ${left.length} of ${all.length} rows\n`,
    );
  }
  const known = rowsOf(readFileSync(PAGE, "utf8"));
  expect(all.filter((row) => !known.has(row))).toEqual([]);
});

function faultsOn(build: TestedBuild): Fault[] {
  const all = isWhole || build === builds[0];
  return faults.filter((fault) => meant(fault, build) && (all || fault.differs));
}

function meant({ onlyOn }: Fault, { name }: TestedBuild): boolean {
  return onlyOn === undefined || onlyOn === name;
}

function named(some: readonly Fault[], build: TestedBuild): string[] {
  return some.map(({ name }) => `${name} | ${build.name}`);
}

afterAll(() => {
  if (process.env["HOLDFAST_WRITE_DOCS"] !== "1") return;
  const before = readFileSync(PAGE, "utf8");
  writeFileSync(
    PAGE,
    matrixPage(rows, {
      memories: MEMORIES,
      fewer: MEMORIES_FEW,
      falseAlarms,
      builds,
      faults,
      before,
    }),
  );
});

function obstacleTo({ onSmallDisk, mounts: isMounted, setsClock }: Fault): string | undefined {
  if (onSmallDisk || isMounted) return mounts;
  return setsClock ? clocks : undefined;
}

/** A machine that is busy is no fault. */
const PATIENCE_MS = 60_000;
/** Of a look that another may follow. */
const LOOK_MS = 10_000;
const SETTLED_MS = 60_000;
const CALM_LOOKS = 10;
const ATTEMPTS = 5;
const SETTLED_LOOKS = 5;

interface Found {
  /** Undefined when nothing may be red, and nothing was. */
  found: CheckResult | undefined;
  tookMs: number;
}

async function foundOf(stage: Stage, fault: Fault): Promise<Found> {
  if (fault.red.length > 0) return untilRed(stage, fault);
  for (let look = 0; look < CALM_LOOKS; look += 1) expect(await reds(stage)).toEqual([]);
  return { found: undefined, tookMs: 0 };
}

/** Looks again and again, as a health loop does, until something is red. */
async function untilRed(stage: Stage, fault: Fault): Promise<Found> {
  const began = performance.now();
  for (;;) {
    const checks = [
      ...stage.checks(),
      ...(fault.red.includes("scrub") ? [scrubCheck(stage.memory)] : []),
      ...(fault.red.includes("outbox") ? [outboxCheck(stage)] : []),
    ];
    let first: Found | undefined;
    await runChecks(checks, {
      timeoutMs: 2_000,
      onResult: (found) => {
        if (found.status !== "fail" || !fault.red.includes(found.check)) return;
        first ??= { found, tookMs: performance.now() - began };
      },
    });
    if (first !== undefined) return first;
    if (performance.now() - began > SETTLED_MS) throw new Error("nothing turned red");
  }
}

/** The memory looks at its file when it opens it, and says what it did. */
function outboxCheck(stage: Stage): ReturnType<typeof scrubCheck> {
  return {
    name: "outbox",
    run: () => {
      const { salvaged } = stage.memory.status();
      if (salvaged === undefined) return { status: "pass", message: "it is whole" };
      const message = `the outbox was damaged and set aside; ${salvaged.lost.length} memories are not given back so far`;
      return { status: "fail", message, hint: "holdfast memory outbox retry" };
    },
  };
}

async function recover(stage: Stage, found: CheckResult | undefined): Promise<RecoveryReport> {
  try {
    return await stage.recover(found?.check ?? "a clock that was set");
  } catch (error) {
    // Nothing is done that cannot be journaled: a full or read-only disk.
    const { message, hint } = error as Error & { hint?: string };
    const proof = { status: "fail", message } as const;
    return { outcome: "refused", message, hint, proof, incident: undefined };
  }
}

/**
 * As a health loop does: what proves well once may be found to hang at a later look, as a server that
 * met a full disk.
 */
async function recoverUntilGreen(
  stage: Stage,
  found: CheckResult | undefined,
): Promise<RecoveryReport> {
  for (let attempt = 1; ; attempt += 1) {
    const report = await recover(stage, found);
    if (attempt === ATTEMPTS || (await staysGreen(stage))) return report;
  }
}

async function staysGreen(stage: Stage): Promise<boolean> {
  for (let look = 0; look < SETTLED_LOOKS; look += 1) {
    if ((await reds(stage, LOOK_MS)).length > 0) return false;
  }
  return true;
}

async function reds(stage: Stage, timeoutMs: number = PATIENCE_MS): Promise<string[]> {
  const results = await runChecks(stage.checks(timeoutMs), { timeoutMs });
  return results.filter(({ status }) => status === "fail").map(lineOf);
}

/** Also when the test fails: what a fault leaves open would keep the run from ending. */
function liftOnce(lift: Lift | undefined): AsyncDisposable {
  let due = lift;
  return {
    [Symbol.asyncDispose]: async () => {
      const now = due;
      due = undefined;
      await now?.();
    },
  };
}

function isBack({ outcome }: RecoveryReport): boolean {
  return outcome === "recovered" || outcome === "healthy";
}

function lineOf({ check, message }: CheckResult): string {
  return `${check}: ${message}`;
}

function repairsOf({ incident }: RecoveryReport): string[] {
  return (incident?.steps ?? [])
    .filter(({ state }) => state === "repaired")
    .map(({ planned }) => planned.action);
}

async function expectForeign(
  stage: Stage,
  foreign: Awaited<ReturnType<typeof addForeign>>,
): Promise<void> {
  const collection = await stage.raw.idOf("others");
  const found = await stage.raw.read(collection);
  expect(new Set(found.keys())).toEqual(new Set(foreign.keys()));
  for (const [id, { text, vector }] of foreign) {
    expect(found.get(id)?.text).toBe(text);
    const scale = Math.hypot(...vector);
    const back = found.get(id)?.vector ?? new Float32Array();
    const worst = Math.max(...vector.map((value, i) => Math.abs(value - (back[i] ?? NaN))));
    expect(worst / scale).toBeLessThan(1e-6);
  }
}
