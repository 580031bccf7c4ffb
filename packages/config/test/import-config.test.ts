import { expect, test } from "@jest/globals";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { checkConfig, importConfig, parseConfig } from "@holdfast/config";
import { parseYaml, type YamlNode } from "@holdfast/document";

const file = join(import.meta.dirname, "fixtures/older-layout.yaml");
const text = readFileSync(file, "utf8");
const imported = importConfig(text, file);

test("what has a meaning here is mapped, and the result is valid", () => {
  const { config, warnings } = parseConfig(imported.text, { file: "/p/h.yaml", environment: {} });
  expect(warnings).toEqual([]);
  expect(config).toMatchObject({
    config_version: 1,
    environment: "production",
    enabled: true,
    vector_store: {
      config: { collection_name: "mem0_collection", persist_directory: "/p/chroma_db" },
    },
    circuit_breaker: {
      bulkhead: { concurrency_max: 20 },
      operations: { read: { timeout: 5 }, write: { timeout: 10 } },
    },
    outbox: { wait: 5, records_max: 100_000 },
    lifecycle: {
      default: "180d",
      rules: [{ category: "error", ttl: "30d" }],
      archive: "/p/.holdfast/archive",
    },
    metrics: {
      event_keep: "30d",
      slow: "1500ms",
      slo: [{ name: "memory", objective: 0.95 }],
    },
    health: { interval: 30, timeout: 5 },
    triggers: { recall: 0, limits: { workflow: { per_minute: 60, cooldown: 30 } } },
  });
});

test("every key is mapped or dropped by name with a reason, and none twice", () => {
  const leaves = (node: YamlNode, path: string): string[] =>
    node.kind === "map"
      ? [...node.entries].flatMap(([key, { value }]) =>
          leaves(value, path === "" ? key : `${path}.${key}`),
        )
      : [path];
  const told = [...imported.mapped, ...imported.dropped].map(({ from }) => from);
  expect(told.toSorted()).toEqual(leaves(parseYaml(text), "").toSorted());
  const why = Object.fromEntries(imported.dropped.map((key) => [key.from, key.why]));
  expect(why).toMatchObject({
    validation_strict: expect.stringContaining("--strict"),
    "performance.search_timeout": "backend.read_timeout counts",
    "trigger_policies.production_workflow.success_threshold": expect.stringContaining("policy"),
    "backend.backend_settings.api_key": expect.stringContaining("secrets"),
  });
  expect(imported.text).not.toContain("not-carried-over");
});

test("a value that today's schema refuses is dropped with what it says", () => {
  const found = imported.dropped.find(({ from }) => from.includes("background_queue"));
  expect(found).toMatchObject({ line: 15, why: expect.stringMatching(/records_max.*at least 1/) });
});

// It put them onto the prototype of every object, and a function in place of the reason.
test.each(["__proto__", "constructor", "leaf"])(
  "a name such as %s is one like any other",
  (name) => {
    const older = `global_enabled: true\n${name}: 1\ntrigger_policies: {a: {trigger_type: ${name}, max_triggers_per_minute: 5, ${name}: 3}}\n`;
    const { text: today, dropped } = importConfig(older, "f");
    const { triggers } = parseConfig(today, { file: "/p/h.yaml", environment: {} }).config;
    expect(Object.entries(triggers.limits)).toEqual([[name, { per_minute: 5 }]]);
    expect(dropped.find(({ from }) => from === name)?.why).toBe("has no counterpart");
    expect(dropped.every(({ why }) => !why.includes("native code"))).toBe(true);
    expect(({} as { per_minute?: unknown }).per_minute).toBeUndefined();
  },
);

test("an older file is named as one, and no other file is taken for one", () => {
  expect(checkConfig(text, { file, environment: {} })).toMatchObject([{ rule: "older-layout" }]);
  expect(() => importConfig("outbox: {wait: 3}", "f")).toThrow("the older layout");
  expect(() => importConfig("a: [", "f")).toThrow("not YAML");
});
