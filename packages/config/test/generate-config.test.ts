import { describe, expect, test } from "@jest/globals";
import {
  checkConfig,
  configSchema,
  ENVIRONMENTS,
  generateConfig,
  parseConfig,
} from "@holdfast/config";

const file = "/project/holdfast.yaml";
const parse = (text: string): unknown => parseConfig(text, { file, environment: {} }).config;

interface Node {
  properties?: Record<string, Node>;
  default?: unknown;
}

const names = ({ properties = {} }: Node): string[] =>
  Object.entries(properties).flatMap(([key, sub]) => [
    key,
    ...(sub.default === undefined ? [] : names(sub)),
  ]);

/** Of the keys that a file shows; what stands in an optional mapping is left to its example. */
const NAMES = names(configSchema as Node);

describe.each(ENVIRONMENTS)("for %s", (environment) => {
  const full = generateConfig({ environment });
  const minimal = generateConfig({ environment, minimal: true });

  test("it is valid as written, without a note, and minimal means the same", () => {
    expect(checkConfig(full, { file, environment: {} })).toEqual([]);
    expect(parse(full)).toMatchObject({ environment, config_version: 1 });
    expect(parse(minimal)).toEqual(parse(full));
    expect(minimal.split("\n").length).toBeLessThan(30);
    expect(minimal.split("\n").slice(2).join("\n")).not.toContain("#");
  });

  test("it begins with the line that tells an editor the schema", () => {
    expect(full.split("\n")[0]).toBe(`# yaml-language-server: $schema=${configSchema.$id}`);
  });

  test("every key that has a place of its own is in it, stated or in a comment", () => {
    const missing = NAMES.filter((name) => !new RegExp(`^[ #]*${name}:`, "m").test(full));
    expect(missing).toEqual([]);
  });

  test("a comment that is opened is valid too, one key at a time", () => {
    const lines = full.split("\n");
    const keys = lines.flatMap((line, at) =>
      NAMES.includes(/^\s*# ([a-z_]+): [^ ]/.exec(line)?.[1] ?? "") ? [at] : [],
    );
    expect(keys.length).toBeGreaterThan(10);
    for (const at of keys) {
      const opened = lines.with(at, (lines[at] ?? "").replace("# ", ""));
      const found = checkConfig(opened.join("\n"), { file, environment: {} });
      // What it means beside the other keys is for whoever opens it: its form must be right.
      const wrong = found.filter(({ rule }) =>
        ["syntax", "wrong-type", "unknown-key", "out-of-range", "wrong-form"].includes(rule ?? ""),
      );
      expect({ line: lines[at], wrong }).toEqual({ line: lines[at], wrong: [] });
    }
  });
  test("a section in a comment is its defaults when it is opened as one", () => {
    const shut = [...full.matchAll(/^# ([a-z_]+):\n((?:# .*\n)+)/gm)];
    expect(shut.length).toBeGreaterThan(3);
    for (const [block] of shut) {
      const opened = full.replace(block, block.replaceAll(/^# /gm, ""));
      expect(checkConfig(opened, { file, environment: {} })).toEqual([]);
      expect(parse(opened)).toEqual(parse(full));
    }
  });
});

test("environments differ where they should", () => {
  const texts = ENVIRONMENTS.map((environment) =>
    generateConfig({ environment, minimal: true }).replaceAll(environment, ""),
  );
  expect(new Set(texts).size).toBe(ENVIRONMENTS.length);
});
