import { type ChildProcess, execFile, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { CircuitBreaker, SqliteBreakerStateStore } from "@holdfast/breaker";
import { failTimes } from "./support/calls.ts";

const FIXTURES = join(import.meta.dirname, "fixtures");
const NODE_FLAGS = ["--conditions=@holdfast/source", "--disable-warning=ExperimentalWarning"];

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "holdfast-breaker-"));
  path = join(folder, "breaker.db");
});
afterEach(() => rmSync(folder, { recursive: true }));

interface OneCall {
  stateAtStart: string;
  ran: boolean;
  error: { name: string; retryAfterMs?: number } | null;
  state: string;
  since: number | null;
}

async function oneCall(service: "up" | "down", recoveryTimeoutMs: number): Promise<OneCall> {
  const script = join(FIXTURES, "one-call.ts");
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...NODE_FLAGS,
    script,
    path,
    service,
    String(recoveryTimeoutMs),
  ]);
  return JSON.parse(stdout) as OneCall;
}

/** Longer than ten processes take to start on any machine. */
const HOUR_MS = 3_600_000;

describe("short-lived processes", () => {
  test("five fail, the sixth is refused at once, and after the timeout one probes", async () => {
    for (let run = 1; run <= 5; run++) {
      expect(await oneCall("down", HOUR_MS)).toMatchObject({ ran: true, stateAtStart: "closed" });
    }
    const sixth = await oneCall("up", HOUR_MS);
    expect(sixth).toMatchObject({
      stateAtStart: "open",
      ran: false,
      error: { name: "CircuitOpenError" },
    });
    const retryAfterMs = sixth.error?.retryAfterMs ?? 0;
    expect(retryAfterMs).toBeGreaterThan(0);
    expect(retryAfterMs).toBeLessThan(HOUR_MS);

    // The true openedAt, not this process's start: a later process reads the same.
    const seventh = await oneCall("up", HOUR_MS);
    expect(seventh.since).toBe(sixth.since);

    // As after the timeout: the stored opening is moved into the past.
    using store = new SqliteBreakerStateStore(path);
    store.update("chroma", (record) => {
      if (record?.state !== "open") throw new Error("expected an open record");
      const aged = { since: record.since - HOUR_MS, retryAt: record.retryAt - HOUR_MS };
      return { record: { ...record, ...aged, version: record.version + 1 }, result: undefined };
    });
    for (const state of ["half-open", "half-open", "closed"]) {
      expect(await oneCall("up", HOUR_MS)).toMatchObject({ ran: true, error: null, state });
    }
  }, 240_000);
});

async function message(child: ChildProcess): Promise<unknown> {
  const [received] = (await once(child, "message")) as [unknown];
  return received;
}

describe("processes at once", () => {
  test("of 4 processes with 5 callers each, exactly one call probes", async () => {
    using store = new SqliteBreakerStateStore(path);
    using breaker = new CircuitBreaker({ name: "chroma", recoveryTimeoutMs: 0 }, { store });
    await failTimes(breaker, 5);
    expect(breaker.state()).toBe("open");

    const children = Array.from({ length: 4 }, () =>
      fork(join(FIXTURES, "probing-callers.ts"), [path], { execArgv: NODE_FLAGS }),
    );
    const exits = children.map((child) => once(child, "exit"));
    await Promise.all(children.map(message));
    const counted = Promise.all(children.map(message));
    for (const child of children) child.send("go");
    const counts = (await counted) as { ran: number; refused: number }[];
    expect(counts.toSorted((a, b) => b.ran - a.ran)).toEqual([
      { ran: 1, refused: 4 },
      { ran: 0, refused: 5 },
      { ran: 0, refused: 5 },
      { ran: 0, refused: 5 },
    ]);

    for (const child of children) child.send("end");
    await Promise.all(exits);
    expect(store.read("chroma")).toMatchObject({ state: "half-open", successes: 1, leases: [] });
  });

  test("a running process learns of another's trip at its next poll", async () => {
    using store = new SqliteBreakerStateStore(path);
    using other = new SqliteBreakerStateStore(path);
    using breaker = new CircuitBreaker({ name: "chroma", pollMs: 0 }, { store });
    using neighbour = new CircuitBreaker({ name: "chroma" }, { store: other });
    const origins: string[] = [];
    breaker.on("transition", ({ origin, to }) => origins.push(`${origin} ${to}`));
    expect(breaker.state()).toBe("closed");
    await failTimes(neighbour, 5);
    await expect(breaker.execute(() => "never")).rejects.toMatchObject({ code: "BREAKER_OPEN" });
    expect(origins).toEqual(["shared open"]);
  });
});
