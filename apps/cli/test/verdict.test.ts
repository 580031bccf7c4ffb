import { expect, test } from "@jest/globals";
import type { MemoryStatus } from "@holdfast/memory";
import * as recovery from "@holdfast/recovery";
import type { KeeperStatus } from "../src/keeper/keeper-status.ts";
import { FRESH_INTERVALS, type VerdictOptions, verdictOf } from "../src/verdict.ts";

const NOW = 1_700_000_000_000;
const DOWN = { sinceMs: NOW - 120_000, reason: "ECONNREFUSED" };

interface Facts {
  residual?: number;
  dead?: number;
  queued?: number;
  lastError?: string;
  state?: "closed" | "open" | "half-open";
  answeredAt?: number | undefined;
  order?: string;
  lost?: string[];
  keeper?: Partial<KeeperStatus>;
  server?: VerdictOptions["server"];
  isDiskFull?: boolean;
  seen?: VerdictOptions["seen"];
}

function keeper({ keeper: known }: Facts): KeeperStatus | undefined {
  if (known === undefined) return undefined;
  const state = { running: true, phase: "ready", detail: "", silentMs: 1_000 };
  return { ...state, ...known } as KeeperStatus;
}

function circuit(state: string, forced: string | null = null, operations = {}): object {
  return { state, forced, why: "5 failures in a row", operation: "read", operations };
}

function status(facts: Facts): MemoryStatus {
  return {
    ledger: { residual: facts.residual ?? 0, dead: facts.dead ?? 0 },
    outbox: { records: facts.queued ?? 0, lastError: facts.lastError },
    storeLastAnsweredAt: "answeredAt" in facts ? facts.answeredAt : NOW - 1_000,
    breaker: circuit("closed", null, {
      read: circuit(facts.state ?? "closed", facts.order ?? null),
      write: circuit("closed"),
    }),
    salvaged:
      facts.lost === undefined ? undefined : { at: NOW, file: "aside/memory.db", lost: facts.lost },
  } as MemoryStatus;
}

test.each<[string, Facts, string, RegExp, RegExp | undefined]>([
  ["all is well", {}, "healthy", /answered 1 s ago; nothing waits/, undefined],
  ["writes are on the way", { queued: 2 }, "healthy", /2 writes are on the way/, undefined],
  [
    "the ledger does not balance",
    { residual: 1, state: "open" },
    "unhealthy",
    /1 accepted/,
    /outbox/,
  ],
  [
    "writes went with a damaged outbox, and are named",
    { residual: 7, lost: ["a", "b", "c", "d", "e", "f", "g"], state: "open" },
    "degraded",
    /damaged and set aside; not given back so far: a, b, c, d, e and 2 more$/,
    /outbox retry/,
  ],
  [
    "writes went with a damaged outbox that nobody can name",
    { residual: 2, lost: [] },
    "degraded",
    /damaged.*; unaccounted for: 2 writes/,
    /outbox retry/,
  ],
  ["a damaged outbox lost nothing", { lost: [] }, "healthy", /nothing waits/, undefined],
  [
    "the breaker was ordered open",
    { state: "open", order: "open" },
    "degraded",
    /breaker \(read\) is open/,
    /memory breaker reset/,
  ],
  ["the breaker is open", { state: "open", dead: 1 }, "degraded", /5 failures in a row/, /server/],
  ["writes were refused", { dead: 1 }, "degraded", /1 write is refused/, /outbox list/],
  [
    "writes wait for a reason",
    { queued: 3, lastError: "no route" },
    "degraded",
    /no route/,
    /server/,
  ],
  ["the breaker probes", { state: "half-open" }, "degraded", /half-open/, /server/],
  [
    "the store never answered",
    { answeredAt: undefined },
    "unknown",
    /never answered/,
    /memory add/,
  ],
  [
    "the store never answered, and writes wait",
    { answeredAt: undefined, queued: 2 },
    "unknown",
    /never answered/,
    /server status/,
  ],
  [
    "evidence is old: never green",
    { answeredAt: NOW - 91_000 },
    "unknown",
    /asked .* for 2 min/,
    /server/,
  ],
  [
    "a monitor has seen that the store does not serve since it answered",
    { answeredAt: NOW - 300_000, seen: { down: DOWN } },
    "unhealthy",
    /not served for 2 min: ECONNREFUSED/,
    /recover --dry-run/,
  ],
  [
    "the store has answered since it was seen not to",
    { seen: { down: DOWN } },
    "healthy",
    /answered 1 s ago/,
    undefined,
  ],
  [
    "a monitor's canary came back",
    { answeredAt: NOW - 900_000, seen: { canaryAt: NOW - 2_000 } },
    "healthy",
    /answered 2 s ago/,
    undefined,
  ],
  [
    "the clock was set back since the store answered",
    { answeredAt: NOW + 86_400_000 },
    "unknown",
    /clock was set back since the store answered/,
    /server status/,
  ],
  [
    "the store answered after the clock was set back, and the canary came back before",
    { answeredAt: NOW - 3_000, keeper: { canaryAt: NOW + 86_400_000 } },
    "healthy",
    /answered 3 s ago/,
    undefined,
  ],
  [
    "its keeper's canary came back",
    { answeredAt: NOW - 900_000, keeper: { canaryAt: NOW - 2_000 } },
    "healthy",
    /answered 2 s ago/,
    undefined,
  ],
  [
    "its keeper sees trouble, whatever was answered a moment ago",
    { keeper: { phase: "degraded", detail: "embeddings: Error finding id" } },
    "unhealthy",
    /Error finding id/,
    /recover --dry-run/,
  ],
  [
    "its keeper repairs it",
    { keeper: { phase: "restarting", detail: "Chroma ended by SIGKILL" } },
    "recovering",
    /restarting: Chroma ended/,
    /server status/,
  ],
  [
    "its keeper stands still",
    { keeper: { silentMs: 91_000, canaryAt: NOW - 91_000 } },
    "unknown",
    /stands still/,
    /server stop/,
  ],
  [
    "its keeper can say nothing on a full disk",
    { keeper: { silentMs: 91_000, canaryAt: NOW - 91_000 }, isDiskFull: true },
    "unknown",
    /disk is full/,
    /^holdfast health$/,
  ],
  [
    "its keeper was killed, and its server serves on",
    { keeper: { running: false, phase: "ready" }, server: "running" },
    "healthy",
    /answered 1 s ago/,
    undefined,
  ],
  [
    "its server is gone, and its keeper has not seen it",
    { keeper: {}, server: "gone" },
    "unhealthy",
    /ended unasked/,
    /recover --dry-run/,
  ],
  [
    "its keeper gave up",
    {
      keeper: {
        running: false,
        phase: "stopped",
        failure: { code: "HEAL_REFUSED", message: "it is damaged", hint: "do this", at: NOW },
      },
    },
    "unhealthy",
    /gave up: it is damaged/,
    /^do this$/,
  ],
  [
    "its server was stopped a moment ago: never green",
    { keeper: { running: false, phase: "stopped" } },
    "unknown",
    /stopped until it is needed; it answered 1 s ago/,
    /health/,
  ],
  [
    "its server was stopped while writes wait for a reason",
    { queued: 3, lastError: "no route", keeper: { running: false, phase: "stopped" } },
    "degraded",
    /no route/,
    /server/,
  ],
])("%s", (_name, facts, expected, cause, next) => {
  const verdict = verdictOf(status(facts), {
    now: NOW,
    intervalMs: 30_000,
    keeper: keeper(facts),
    server: facts.server,
    isDiskFull: facts.isDiskFull ?? false,
    seen: facts.seen,
  });
  expect(verdict.status).toBe(expected);
  expect(verdict.cause).toMatch(cause);
  expect(verdict.next ?? "").toMatch(next ?? /^$/);
});

test("evidence is as old as the health loop lets it be", () => {
  expect(FRESH_INTERVALS).toBe(recovery.FRESH_INTERVALS);
});
