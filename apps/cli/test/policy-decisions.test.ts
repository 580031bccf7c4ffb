import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deadPort } from "./dead-port.ts";
import { POLICY_RULES } from "./policy-rules.ts";
import { Sandbox } from "./run-cli.ts";

let user: Sandbox;
beforeEach(async () => {
  user = new Sandbox();
  await user.run(["init"]);
});
afterEach(() => user.remove());

const path = (name: string): string => join(user.folder, name);
const write = (name: string, text: string): void => writeFileSync(path(name), text);
const read = (name: string): string => readFileSync(path(name), "utf8");

async function addRules(): Promise<void> {
  write("rules.yaml", POLICY_RULES);
  const { status, stderr } = await user.run(["policy", "add", "rules.yaml"]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
}

describe("policy test", () => {
  const SUITE = `tests:
  - name: secrets are not stored
    events:
      - {event: {text: my password}, expect: {decision: abort, aborted_by: no-secrets}}
      - {event: {text: harmless}, expect: {decision: allow, matched: []}}
  - name: errors are marked once a minute
    events:
      - {event: {type: command, text: c, scope: {user: ada}}, expect: {effects: []}}
      - {event: {type: error, text: a, scope: {user: ada}}, expect: {effects: [add_tag]}}
      - {at: 59s, event: {type: error, text: b, scope: {user: ada}}, expect: {effects: []}}
      - {at: 60s, event: {type: error, text: b, scope: {user: ada}}, expect: {effects: [add_tag]}}
`;

  test("--context decides without side effects, and says of every rule what became of it", async () => {
    await addRules();
    write("event.json", '{"type": "error", "text": "my password"}');
    const { status, stdout } = await user.run(["policy", "test", "--context", "event.json"]);
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /Decision: abort, by no-secrets: It holds a password\.[^]*✓ no-secrets: matched[^]*- errors: blocked \(abort\)/,
    );
    const { json } = await user.run([
      "policy",
      "test",
      "--context",
      "event.json",
      "--rule",
      "errors",
      "--output",
      "out.json",
      "--json",
    ]);
    expect(json.data.rules).toMatchObject([
      { rule: "errors", outcome: "blocked", blockedBy: "abort" },
    ]);
    expect(JSON.parse(read("out.json"))).toMatchObject({
      decision: json.data.decision,
      rules: json.data.rules,
    });
    expect(
      (await user.run(["policy", "test", "--context", "event.json", "--rule", "nobody"])).status,
    ).toBe(2);
    expect((await user.run(["policy", "test", "--context", "nowhere.json"])).status).toBe(2);
  });

  test("suites pass or fail, with coverage and JUnit", async () => {
    await addRules();
    write("policies/all.policytest.yaml", SUITE);
    const passed = await user.run([
      "policy",
      "test",
      "--coverage-threshold",
      "100",
      "--junit",
      "j.xml",
      "--json",
    ]);
    expect(passed).toMatchObject({
      status: 0,
      json: { data: { passed: true, coverage: { percent: 100 } } },
    });
    expect(read("j.xml")).toContain('<testsuites name="policies" tests="2" failures="0"');
    write("policies/all.policytest.yaml", SUITE.replace("at: 59s", "at: 61s"));
    const failed = await user.run(["policy", "test", "--junit", "j.xml"]);
    expect(failed.status).toBe(4);
    expect(failed.stdout).toMatch(
      /✗ all\.policytest\.yaml: errors are marked[^]*events\[2\] .*expected effects \[\], was \[add_tag\]/,
    );
    expect(read("j.xml")).toContain('failures="1"');
  });

  test("a coverage below the threshold fails, and names what is missing", async () => {
    await addRules();
    write("some.policytest.yaml", SUITE.slice(0, SUITE.indexOf("  - name: errors")));
    const { status, stdout } = await user.run([
      "policy",
      "test",
      "some.policytest.yaml",
      "--coverage-threshold",
      "60",
    ]);
    expect(status).toBe(4);
    expect(stdout).toMatch(
      /Coverage 50 %[^]*errors never matched[^]*Coverage is 50 %, less than 60 %\./,
    );
    expect(
      (await user.run(["policy", "test", "some.policytest.yaml", "--coverage-threshold", "50"]))
        .status,
    ).toBe(0);
  });

  test("a suite may bring its own rules; one that is invalid fails; none at all is wrong usage", async () => {
    write("rules.yaml", POLICY_RULES);
    write("own.policytest.yaml", `policies: rules.yaml\n${SUITE}`);
    expect((await user.run(["policy", "test", "own.policytest.yaml"])).status).toBe(0);
    write("own.policytest.yaml", `polices: rules.yaml\n${SUITE}`);
    const { status, stdout } = await user.run(["policy", "test", "own.policytest.yaml"]);
    expect(status).toBe(4);
    expect(stdout).toMatch(/own\.policytest\.yaml:1:1: polices: .*did you mean policies\?/);
    expect((await user.run(["policy", "test"])).status).toBe(2);
    expect((await user.run(["policy", "test", "--rule", "errors"])).status).toBe(2);
  });
});

describe("limits and records of what was really decided", () => {
  beforeEach(async () => {
    write(
      "holdfast.yaml",
      `vector_store: {config: {host: 127.0.0.1, port: ${await deadPort()}}}
policies: {record_events: 100}
`,
    );
    write(
      "twice.yaml",
      "name: twice\nconditions: [{type: equals, field: type, value: memory.add}]\nactions: [{type: add_tag, parameters: {tag: x}}]\nmax_executions: 2\n",
    );
    await user.run(["policy", "add", "twice.yaml"]);
  });
  const add = async (text: string): Promise<void> => {
    const { status } = await user.run(["memory", "add", text, "--wait", "0"]);
    expect(status).toBe(0);
  };
  const outcome = async (): Promise<string> => {
    const { json } = await user.run(["policy", "explain", "{}", "--json"]);
    return (json.data.trace as { outcome: string; blockedBy?: string }[])
      .map((line) => line.blockedBy ?? line.outcome)
      .join();
  };

  test("explain counts what limits have used, uses none, and a rule that is removed begins anew", async () => {
    await add("one");
    expect([await outcome(), await outcome()]).toEqual(["matched", "matched"]);
    await add("two");
    expect(await outcome()).toBe("max_executions");
    const { stdout } = await user.run(["policy", "remove", "twice", "--force"]);
    const [, undo = ""] = /^undo: holdfast (.*)$/m.exec(stdout) ?? [];
    await user.run(undo.split(" "));
    expect(await outcome()).toBe("matched");
  });

  test("replay names what edited rules decide differently, within the time asked for", async () => {
    await add("tea");
    await add("my password");
    await add("third");
    const replayed = async (...options: string[]): Promise<[number, string[]]> => {
      const { json } = await user.run(["policy", "replay", "--json", ...options]);
      const { events, changed } = json.data as {
        events: number;
        changed: { recorded: { event: { text: string } } }[];
      };
      return [events, changed.map(({ recorded }) => recorded.event.text)];
    };
    expect(await replayed()).toEqual([3, []]);
    write("rules.yaml", POLICY_RULES);
    await user.run(["policy", "add", "rules.yaml"]);
    expect(await replayed()).toEqual([3, ["my password", "third"]]);
    expect(await replayed("--since", "0s")).toEqual([0, []]);
    // With the wish to have them, the records go.
    await user.run(["memory", "add", "a", "--wait", "0", "--set", "policies.record_events=0"]);
    const { json } = await user.run(["policy", "replay", "--json"]);
    expect(json.error.code).toBe("POLICY_EVENTS_MISSING");
  });

  test("without any record there is nothing to replay, and it says how to have one", async () => {
    const { status, stderr } = await user.run(["policy", "replay"]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/next: .*policies\.record_events/);
  });
});

describe("policy explain and lint", () => {
  test("explain takes an event as it is, from a file, or from stdin", async () => {
    await addRules();
    write("event.yaml", "text: a password");
    const decided = async (argument: string, input = ""): Promise<unknown> =>
      (
        (await user.run(["policy", "explain", argument, "--json"], { input })).json as {
          data: { decision: unknown };
        }
      ).data.decision;
    const abort = { kind: "abort", rule: "no-secrets", reason: "It holds a password." };
    expect(await decided('{"text": "a password"}')).toEqual(abort);
    expect(await decided("event.yaml")).toEqual(abort);
    expect(await decided("-", '{"text": "a password"}')).toEqual(abort);
    const { status, stderr } = await user.run(["policy", "explain", '{"text": 5}']);
    expect(status).toBe(2);
    expect(stderr).toMatch(/event:1:10: text: is 5 \(expected text\)/);
  });

  test("lint ends with 4 when it finds something, and shows it by an event", async () => {
    await addRules();
    expect((await user.run(["policy", "lint"])).status).toBe(0);
    write(
      "late.yaml",
      "name: late\nconditions: [{type: contains, field: text, value: my password}]\nactions: [{type: log_event}]\n",
    );
    await user.run(["policy", "add", "late.yaml"]);
    const { status, stdout } = await user.run(["policy", "lint"]);
    expect(status).toBe(4);
    expect(stdout).toMatch(
      /^policies\/late\.yaml: shadowed late: .*no-secrets[^]*see: (\{.*\})\n3 rules, 1 found, 0 unknown\n$/,
    );
    const [, event = ""] = /see: (\{.*\})/.exec(stdout) ?? [];
    const explained = await user.run(["policy", "explain", event]);
    expect(explained.stdout).toContain("- late: blocked (abort)");
  });
});
