import type { Day } from "../../src/health/health-history.ts";
import { answerOf } from "../../src/health/health-answer.ts";
import type { PageContent } from "../../src/health/page/page-content.ts";

const NOW = Date.UTC(2026, 4, 1, 12);
const DAY_MS = 24 * 3_600_000;

const tally = { total: 40, succeeded: 37, failed: 3, ignored: 0 };
const durations = { p50Ms: 4.2, p95Ms: 18, p99Ms: 130 };
const operation = (name: string): object => ({ operation: name, ...tally, durations });
const view = {
  overall: { ...tally, durations },
  operations: [operation("add"), operation("search")],
  objective: { errorBudget: { remaining: -0.25 } },
};

/** Ninety days: a gap, then good ones, one with an incident, one on which all failed. */
function days(): Day[] {
  return Array.from({ length: 90 }, (_, at) => {
    const state = at < 30 ? "none" : at === 50 ? "mixed" : at === 60 ? "bad" : "good";
    const incidents = at === 50 ? 1 : 0;
    const atMs = NOW - (89 - at) * DAY_MS;
    return { atMs, state, succeeded: 5, failed: 1, incidents, deployments: at === 70 ? 1 : 0 };
  });
}

const HOSTILE = `<script>document.title = "owned"</script>"'&`;

/** A workspace in trouble, whose every text is hostile. */
export function troubled(): PageContent {
  const check = (name: string, status: "pass" | "fail", service: string): object => ({
    check: name,
    service,
    status,
    severity: "unhealthy",
    message: `${name} says ${HOSTILE}`,
    hint: "holdfast memory recover --dry-run",
    at: NOW - 4_000,
    tookMs: 12,
  });
  const circuit = { state: "open", why: `5 failures: ${HOSTILE}`, retryAfterMs: 42_000 };
  return {
    now: NOW,
    version: "1.2.3",
    place: HOSTILE,
    answer: answerOf([
      check("canary", "fail", "chroma"),
      check("collection", "pass", "chroma"),
      check("ledger", "fail", "outbox"),
    ] as never),
    memory: {
      ledger: {
        accepted: 10,
        stored: 5,
        queued: 2,
        dead: 1,
        discarded: 0,
        refused: 3,
        residual: 2,
      },
      outbox: { records: 2, oldestAgeMs: 90_000, lastError: HOSTILE },
      mirrored: 10,
      breaker: { ...circuit, name: "store", operation: undefined, operations: {} },
    } as never,
    history: {
      days: days(),
      metrics: {
        memory: view,
        store: { ...view, operations: [operation("store.read")] },
        last: { failure: { operation: "search", atMs: NOW - 60_000, message: HOSTILE } },
      },
      transitions: [
        {
          atMs: NOW - 60_000,
          subject: "store",
          data: { from: "closed", to: "open", why: HOSTILE },
        },
      ],
      incidents: [
        {
          id: "20260501-1",
          openedAt: NOW - 60_000,
          state: "failed",
          trigger: HOSTILE,
          message: HOSTILE,
        },
      ],
      deployments: [{ atMs: NOW - DAY_MS, subject: HOSTILE, data: { outcome: "proved" } }],
      backups: [
        { madeAt: NOW - DAY_MS, memories: 9, bytes: 1e6, partial: HOSTILE, drilledAt: null },
      ],
      growth: { bytes: 7e7, freeBytes: 1e9, bytesPerDay: 1e7, daysToFull: 100 },
      selfTest: { at: NOW, passed: false, parts: { recovery: HOSTILE } },
    } as never,
  };
}
