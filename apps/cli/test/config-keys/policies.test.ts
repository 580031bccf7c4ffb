import { expect, test } from "@jest/globals";
import { globSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { configSchema } from "@holdfast/config";
import { DECIDER_DEFAULTS, readRecordedEvents, type RecordedEvent } from "@holdfast/policy";
import { type Bench, keyTests } from "./key-tests.ts";

/** A rule whose actions follow every memory that is added, if `condition` holds. */
function write(bench: Bench, condition: string, action: string, folder = "policies"): void {
  mkdirSync(join(bench.folder, folder), { recursive: true });
  writeFileSync(
    join(bench.folder, folder, "rule.yaml"),
    `{name: rule, conditions: [{type: equals, field: type, value: memory.add}, ${condition}], actions: [${action}]}`,
  );
}

const ALWAYS = "{type: always}";
const ABORT = "{type: abort}";

async function add(bench: Bench, text = "tea"): Promise<string> {
  const { json } = await bench.run("memory", "add", text, "--wait", "0");
  return json.ok ? "added" : json.error.code;
}

/** The events that were recorded for replay. */
function recorded(bench: Bench): RecordedEvent[] {
  const [file] = globSync(join(bench.folder, ".holdfast/**/policy-events.db"));
  return file === undefined ? [] : readRecordedEvents(file, 0);
}

test("the defaults are the decider's own", () => {
  const { timezone, seed } = configSchema.properties.policies.properties;
  expect({ timezone: timezone.default, seed: seed.default }).toEqual(DECIDER_DEFAULTS);
});

keyTests("policies", {
  enabled: async (bench) => {
    write(bench, ALWAYS, ABORT);
    bench.configureDead("");
    expect(await add(bench)).toBe("POLICY_ABORTED");
    bench.configureDead("policies: {enabled: false}");
    expect(await add(bench)).toBe("added");
  },
  directory: async (bench) => {
    write(bench, ALWAYS, ABORT, "rules/mine");
    bench.configureDead("");
    expect(await add(bench)).toBe("added");
    bench.configureDead("policies: {directory: rules/mine}");
    expect(await add(bench)).toBe("POLICY_ABORTED");
  },
  timezone: async (bench) => {
    // An hour that it is now in Kiritimati, and elsewhere only half a day later.
    const hour = (new Date().getUTCHours() + 14) % 24;
    const time = (of: number): string => `"${String(of % 24).padStart(2, "0")}:00"`;
    write(
      bench,
      `{type: time_range, start_time: ${time(hour)}, end_time: ${time(hour + 2)}}`,
      ABORT,
    );
    bench.configureDead("");
    expect(await add(bench)).toBe("added");
    bench.configureDead("policies: {timezone: Pacific/Kiritimati}");
    expect(await add(bench)).toBe("POLICY_ABORTED");
    bench.configureDead("policies: {timezone: Pacific/Kiritimaty}");
    expect(await add(bench)).toBe("CONFIG_INVALID");
  },
  seed: async (bench) => {
    // That another seed draws others, the evaluator's own test shows; here, that this is its seed.
    write(bench, "{type: probability, probability: 0.5}", ABORT);
    bench.configureDead("policies: {seed: one, record_events: 10}");
    await add(bench);
    expect(recorded(bench)).toMatchObject([{ seed: "one" }]);
  },
  record_events: async (bench) => {
    write(bench, ALWAYS, "{type: skip}");
    bench.configureDead("");
    expect(await add(bench)).toBe("added");
    expect(recorded(bench)).toEqual([]);
    bench.configureDead("policies: {record_events: 2}");
    for (const text of ["a", "b", "c"]) await add(bench, text);
    expect(recorded(bench)).toHaveLength(2);
  },
  "webhooks.allow_addresses": async (bench) => {
    const asked: unknown[] = [];
    const port = await bench.listen(
      createServer((request, response) => {
        asked.push(request.headers["idempotency-key"]);
        response.end();
      }),
    );
    write(bench, ALWAYS, `{type: execute_webhook, parameters: {url: "http://127.0.0.1:${port}/"}}`);
    bench.configureDead("");
    const refused = await bench.run("memory", "add", "tea", "--wait", "0");
    expect(refused.json.warnings).toContainEqual(
      expect.stringContaining("rule could not carry out execute_webhook"),
    );
    expect(asked).toEqual([]);
    bench.configureDead("policies: {webhooks: {allow_addresses: [127.0.0.1]}}");
    await bench.run("memory", "add", "tea", "--wait", "0");
    expect(asked).toEqual([expect.stringMatching(/\/rule\/0$/)]);
  },
});
