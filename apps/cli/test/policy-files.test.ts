import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
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

describe("policy add", () => {
  test("stores a file for each rule, with its comments", async () => {
    await addRules();
    expect(readdirSync(path("policies"))).toEqual(["errors.yaml", "no-secrets.yaml"]);
    expect(read("policies/no-secrets.yaml")).toBe(
      POLICY_RULES.slice(0, POLICY_RULES.indexOf("  # Errors")),
    );
    expect(read("policies/errors.yaml")).toContain("# Errors are marked.");
    expect(statSync(path("policies/errors.yaml")).mode & 0o777).toBe(0o600);
  });

  test("refuses a name that exists, and with --force replaces it and keeps the old one", async () => {
    await addRules();
    const changed = POLICY_RULES.replace("cooldown_period: 60", "cooldown_period: 90");
    write("rules.yaml", changed);
    const refused = await user.run(["policy", "add", "rules.yaml", "--json"]);
    expect(refused).toMatchObject({ status: 2, json: { error: { code: "POLICY_EXISTS" } } });
    expect(read("policies/errors.yaml")).toContain("cooldown_period: 60");
    const forced = await user.run(["policy", "add", "rules.yaml", "--force"]);
    expect(forced.status).toBe(0);
    expect(read("policies/errors.yaml")).toContain("cooldown_period: 90");
    const kept = readdirSync(path("policies/.removed")).filter((name) => name.includes("errors"));
    expect(read(`policies/.removed/${kept[0]}`)).toContain("cooldown_period: 60");
  });

  test("adds nothing that is invalid, and says where and what was expected", async () => {
    write("bad.yaml", POLICY_RULES.replace("cooldown_period: 60", "cooldown_perod: 60"));
    const { status, stdout } = await user.run(["policy", "add", "bad.yaml"]);
    expect(status).toBe(4);
    expect(stdout).toMatch(
      /bad\.yaml:16:\d+: rules\.errors\.cooldown_perod: .*did you mean cooldown_period\?/,
    );
    expect(existsSync(path("policies"))).toBe(false);
    expect((await user.run(["policy", "add", "nowhere.yaml"])).status).toBe(2);
    write("bad.yaml", `{${POLICY_RULES}`);
    const broken = await user.run(["policy", "add", "bad.yaml"]);
    expect(broken.status).toBe(4);
    expect(broken.stdout).toMatch(/bad\.yaml:\d+:\d+: not YAML/);
  });

  test("--validate adds only what has no warning either", async () => {
    write("warned.yaml", POLICY_RULES.replace("field: text", "field: txt"));
    const strict = await user.run(["policy", "add", "warned.yaml", "--validate"]);
    expect(strict.status).toBe(4);
    expect(strict.stdout).toMatch(/warning: .*txt[^]*Nothing was added/);
    expect(existsSync(path("policies"))).toBe(false);
    const lax = await user.run(["policy", "add", "warned.yaml"]);
    expect(lax.status).toBe(0);
    expect(lax.stderr).toMatch(/warning: .*txt/);
  });

  test("--validate shows what is added", async () => {
    write("rules.yaml", POLICY_RULES);
    const { status, stderr } = await user.run(["policy", "add", "rules.yaml", "--validate"]);
    expect(status).toBe(0);
    expect(stderr).toContain("valid: errors (user, priority 0): add_tag\n");
  });

  test("refuses what would break the rules that are there", async () => {
    const chain = (name: string, to: string): string =>
      `name: ${name}\nconditions: [{type: always}]\nactions: [{type: chain_policy, parameters: {policy: ${to}}}]\n`;
    write("end.yaml", "name: b\nconditions: [{type: always}]\nactions: [{type: log_event}]\n");
    write("a.yaml", chain("a", "b"));
    write("b.yaml", chain("b", "a"));
    for (const file of ["end.yaml", "a.yaml"])
      expect((await user.run(["policy", "add", file])).status).toBe(0);
    const { status, json } = await user.run(["policy", "add", "b.yaml", "--force", "--json"]);
    expect({ status, code: json.error.code }).toEqual({ status: 2, code: "POLICY_CONFLICT" });
    expect(read("policies/b.yaml")).toContain("log_event");
  });
});

describe("policy list", () => {
  test("lists rules in the order in which they decide, and only those that are asked for", async () => {
    await addRules();
    write(
      "off.json",
      `{"name": "off", "enabled": false, "scope": "user", "conditions": [{"type": "always"}], "actions": [{"type": "log_event"}]}`,
    );
    await user.run(["policy", "add", "off.json"]);
    const names = async (...options: string[]): Promise<string[]> => {
      const { json } = await user.run(["memory", "policy", "list", "--json", ...options]);
      return json.data.policies.map(({ name }: { name: string }) => name) as string[];
    };
    expect(await names()).toEqual(["no-secrets", "errors", "off"]);
    expect(await names("--scope", "user")).toEqual(["errors", "off"]);
    expect(await names("--scope", "user", "--enabled-only")).toEqual(["errors"]);
    const { stdout } = await user.run(["policy", "list"]);
    expect(stdout).toMatch(
      /^NAME +PRIORITY[^]*\noff +0 +user +no +log_event +policies\/off\.yaml\n$/,
    );
  });

  test("says when policies are switched off", async () => {
    await addRules();
    const off = ["policy", "list", "--set", "policies.enabled=false", "--json"];
    const { json } = await user.run(off);
    expect(json.data.inForce).toBe(false);
    expect(json.warnings.join()).toContain("policies.enabled: false");
    expect(json.data.policies).toHaveLength(2);
  });

  test("shows rules that are not in force, with what is wrong", async () => {
    await addRules();
    write("policies/errors.yaml", read("policies/errors.yaml").replace("add_tag", "add_tags"));
    const { status, json } = await user.run(["policy", "list", "--json"]);
    expect({ status, inForce: json.data.inForce }).toEqual({ status: 4, inForce: false });
    expect(json.warnings.join()).toMatch(/add_tags/);
    expect((await user.run(["policy", "explain", "{}"])).status).toBe(78);
  });
});

describe("policy remove", () => {
  test("asks, keeps what it removes, and that can be added again", async () => {
    await addRules();
    const asked = await user.run(["policy", "remove", "errors", "--json"]);
    expect(asked).toMatchObject({ status: 2, json: { error: { code: "CONFIRMATION_NEEDED" } } });
    const before = read("policies/errors.yaml");
    const { status, stdout } = await user.run(["policy", "remove", "errors", "--force"]);
    expect(status).toBe(0);
    expect(existsSync(path("policies/errors.yaml"))).toBe(false);
    const [, undo = ""] = /^undo: holdfast (.*)$/m.exec(stdout) ?? [];
    expect((await user.run(undo.split(" "))).status).toBe(0);
    expect(read("policies/errors.yaml")).toBe(before);
  });

  test("takes one rule out of a file with several, and leaves the others as they were", async () => {
    mkdirSync(path("policies"));
    write("policies/all.yaml", POLICY_RULES);
    expect((await user.run(["policy", "remove", "errors", "--yes"])).status).toBe(0);
    expect(read("policies/all.yaml")).toBe(
      POLICY_RULES.slice(0, POLICY_RULES.indexOf("  # Errors")),
    );
    const [kept = ""] = readdirSync(path("policies/.removed"));
    expect(read(`policies/.removed/${kept}`)).not.toContain("no-secrets");
  });

  test("touches no file with another rule that is wrong", async () => {
    mkdirSync(path("policies"));
    const wrong = POLICY_RULES.replace(
      "contains, field: text, value: password",
      "matches_regex, field: text, regex_pattern: (",
    );
    write("policies/all.yaml", wrong);
    const { status, json } = await user.run(["policy", "remove", "errors", "--yes", "--json"]);
    expect({ status, code: json.error.code }).toEqual({ status: 1, code: "POLICY_NOT_SEPARABLE" });
    expect(read("policies/all.yaml")).toBe(wrong);
  });

  test("refuses a name that is unknown, and one that others lead to", async () => {
    await addRules();
    write(
      "chain.yaml",
      "name: chain\nconditions: [{type: always}]\nactions: [{type: chain_policy, parameters: {policy: errors}}]\n",
    );
    await user.run(["policy", "add", "chain.yaml"]);
    const code = async (name: string): Promise<string> =>
      (
        (await user.run(["policy", "remove", name, "--force", "--json"])).json as {
          error: { code: string };
        }
      ).error.code;
    expect(await code("nobody")).toBe("POLICY_UNKNOWN");
    expect(await code("errors")).toBe("POLICY_IN_USE");
  });
});
