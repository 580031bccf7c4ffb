import { spawnSync } from "node:child_process";
import { describe, expect, test } from "@jest/globals";
import { mappingOf, type MetricMapping, type MetricsStore, renderText } from "../src/index.ts";
import { MEMORY_MAPPING } from "./memory-mapping.ts";
import { scratchStore } from "./scratch.ts";

function busyStore(): MetricsStore {
  const { store, clock } = scratchStore();
  for (const ms of [0.4, 3, 8, 30, 200, 2_500]) store.record("search", "success", ms);
  store.record("add", "stored", 12);
  store.record("add", "queued", 3);
  store.record("addMany", "stored", 40);
  store.record("update", "stored", 40);
  store.gauge("queue.depth", 3);
  store.gauge("queue.oldest-age-ms", 1_500);
  store.lifecycle.breakerTransition("chroma", "closed", "open");
  store.lifecycle.breakerTransition("chroma", "open", "half-open");
  store.lifecycle.recoveryAttempt("service", "success", 800);
  store.lifecycle.backup("nightly", "success", clock.now());
  store.count("policy.decisions", 2, { rule: 'say "no"\nand \\', decision: "deny" });
  return store;
}

describe("text export", () => {
  test("the mapping alone decides names, labels and units", () => {
    const lines = renderText(busyStore().totals(), MEMORY_MAPPING).split("\n");
    expect(lines).toEqual(
      expect.arrayContaining([
        "# TYPE memory_operation_duration_seconds histogram",
        'memory_operation_duration_seconds_bucket{le="0.005",operation="search",outcome="success"} 2',
        'memory_operation_duration_seconds_bucket{le="+Inf",operation="search",outcome="success"} 6',
        'memory_operation_duration_seconds_count{operation="search",outcome="success"} 6',
        'memory_captures_total{outcome="stored"} 2',
        'memory_captures_total{outcome="queued"} 1',
        "memory_queue_depth 3",
        "memory_queue_oldest_age_seconds 1.5",
        'memory_breaker_state{state="closed"} 0',
        'memory_breaker_state{state="open"} 0',
        'memory_breaker_state{state="half-open"} 1',
        "memory_breaker_transitions_total 2",
        'memory_recovery_attempts_total{outcome="success",strategy="service"} 1',
        'memory_policy_decisions_total{decision="deny",rule="say \\"no\\"\\nand \\\\"} 2',
        'memory_build_info{version="1.2.3"} 1',
      ]),
    );
    expect(lines.filter((line) => line.startsWith("# HELP"))).toHaveLength(MEMORY_MAPPING.length);
  });

  test("OpenMetrics names counter families without _total and ends with # EOF", () => {
    const text = renderText(busyStore().totals(), MEMORY_MAPPING, "openmetrics");
    expect(text).toContain("# TYPE memory_captures counter\n");
    expect(text).toContain('memory_captures_total{outcome="stored"} 2\n');
    expect(text).toContain(
      '# HELP memory_policy_decisions Decisions by rule; \\"deny\\" included.\n',
    );
    expect(text.endsWith("\n# EOF\n")).toBe(true);
    expect(text).not.toContain("\n\n");
  });

  test("counters and histograms never fall, across processes", () => {
    const { store, clock, path } = scratchStore();
    const other = scratchStore({ path }, { clock }).store;
    const counts = (): string[] =>
      renderText(store.totals(), MEMORY_MAPPING)
        .split("\n")
        .filter((line) => /_(bucket|count|total)\{/.test(line));
    store.record("search", "success", 0.9);
    const before = new Map(counts().map((line) => line.split(" ") as [string, string]));
    other.record("search", "success", 40);
    other.close();
    const now = new Map(counts().map((line) => line.split(" ") as [string, string]));
    for (const [series, value] of before) {
      expect(Number(now.get(series))).toBeGreaterThanOrEqual(Number(value));
    }
    expect([...now.values()]).toContain("2");
  });

  test("without a mapping everything gets a name of its own", () => {
    const totals = busyStore().totals();
    const text = renderText(totals, mappingOf(totals, "tool"));
    expect(text).toContain(
      'tool_breaker_transitions_total{breaker="chroma",from="closed",to="open"} 1',
    );
    expect(text).toContain("tool_queue_depth 3");
    expect(text).toContain("tool_queue_oldest_age_seconds 1.5");
    expect(text).toContain(
      'tool_operation_duration_seconds_count{operation="add",outcome="queued"} 1',
    );
  });

  test("a wrong mapping is refused with the metric's name", () => {
    const base = { help: "h", source: { counter: "c" } } as const;
    const wrong: MetricMapping[][] = [
      [{ ...base, name: "bad-name_total", type: "counter" }],
      [{ ...base, name: "hits", type: "counter" }],
      [{ name: "x_total", help: "h", type: "gauge", source: { gauge: "g" } }],
      [{ ...base, name: "x", type: "histogram" }],
      [{ ...base, name: "x", type: "gauge" }],
      [{ name: "x_total", help: "h", type: "counter", source: { gauge: "g" } }],
      [{ ...base, name: "x_total", type: "counter", labels: { le: "le" } }],
      [{ ...base, name: "x_total", type: "counter", constantLabels: { "a-b": "c" } }],
      [
        { ...base, name: "x_total", type: "counter" },
        { ...base, name: "x_total", type: "counter" },
      ],
      [
        {
          name: "x_seconds",
          help: "h",
          type: "histogram",
          source: { operations: "all" },
          bounds: [1, 1],
        },
      ],
    ];
    const totals = scratchStore().store.totals();
    for (const mapping of wrong) {
      expect(() => renderText(totals, mapping)).toThrow(
        expect.objectContaining({
          code: "METRICS_MAPPING_INVALID",
          message: expect.stringContaining(mapping[0]?.name ?? ""),
        }),
      );
    }
  });
});

const promtool = spawnSync("promtool", ["--version"]).status === 0;
const whenPromtool = promtool ? describe : describe.skip;

whenPromtool("promtool, on PATH as Debian's package prometheus installs it", () => {
  test("check metrics finds no fault, and finds one where there is one", () => {
    const totals = busyStore().totals();
    for (const mapping of [MEMORY_MAPPING, mappingOf(totals, "tool")]) {
      const good = check(renderText(totals, mapping));
      expect(good).toEqual({ status: 0, output: "" });
    }
    const unhelpful = renderText(totals, MEMORY_MAPPING).replaceAll(/# HELP .*\n/g, "");
    expect(check(unhelpful).status).not.toBe(0);
  });
});

function check(text: string): { status: number | null; output: string } {
  const result = spawnSync("promtool", ["check", "metrics"], { input: text, encoding: "utf8" });
  return { status: result.status, output: result.stdout + result.stderr };
}
