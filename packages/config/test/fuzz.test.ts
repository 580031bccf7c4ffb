import { expect, test } from "@jest/globals";
import * as fc from "fast-check";
import {
  checkConfig,
  ConfigError,
  configSchema,
  type Finding,
  generateConfig,
  importConfig,
  parseConfig,
} from "@holdfast/config";
import type { Schema } from "@holdfast/document";

const file = "/project/holdfast.yaml";
const seeds = [
  generateConfig({ environment: "production" }),
  generateConfig({ environment: "testing", minimal: true }),
  JSON.stringify(parseConfig("", { file, environment: {} }).config),
  "a: &a {b: [1, *a]}\nc: !!js/function 'x'\n? [complex]\n: - 'quoted'\n",
];
/** What YAML and JSON parsers trip over. */
const BITS = [
  "&a ",
  "*a",
  "<<: *a\n",
  "__proto__: ",
  "constructor:\n",
  "!!binary ",
  "? ",
  "- ",
  "---\n",
]
  .concat([
    "...\n",
    "|2\n",
    ">-\n",
    "\t",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "#",
    "'",
    '"',
    "\\",
    "\u0000",
  ])
  .concat([
    "\ud800",
    "\u2028",
    "\ufeff",
    "${",
    "${X:-${Y}}",
    "$${",
    "1e999",
    ".nan",
    "0x",
    "~",
    "%YAML 9\n",
  ]);

const mutated = fc
  .tuple(
    fc.constantFrom(...seeds),
    fc.array(
      fc.tuple(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.nat(40),
        fc.oneof(fc.constantFrom(...BITS), fc.string({ unit: "binary", maxLength: 8 })),
      ),
      { minLength: 1, maxLength: 6 },
    ),
  )
  .map(([seed, edits]) =>
    edits.reduce((text, [where, cut, put]) => {
      const at = Math.floor(where * text.length);
      return text.slice(0, at) + put + text.slice(at + cut);
    }, seed),
  );

test("5,000 mutations of YAML and JSON are read or refused: no crash, no hang, no escape", () => {
  const before = Object.getOwnPropertyNames(Object.prototype);
  const verdicts = { read: 0, refused: 0 };
  fc.assert(
    fc.property(mutated, (text) => {
      const { config, findings } = read(text);
      verdicts[config === undefined ? "refused" : "read"] += 1;
      expect(findings.filter(({ line, column }) => !(line > 0 && column > 0))).toEqual([]);
      expect({ text, strange: strange(config) }).toEqual({ text, strange: [] });
    }),
    { numRuns: 5_000 },
  );
  expect(verdicts.read).toBeGreaterThan(50);
  expect(verdicts.refused).toBeGreaterThan(1_000);
  expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before);
});

/** What is refused is refused by findings, and by both ways of asking. */
function read(text: string): { config: unknown; findings: readonly Finding[] } {
  const options = { file, environment: { X: "x: [", HOME: "/home" } };
  const findings = checkConfig(text, options);
  const refused = findings.some(({ severity }) => severity === "error");
  try {
    const { config } = parseConfig(text, options);
    if (refused) throw new TypeError("What has errors was read");
    return { config, findings };
  } catch (error) {
    if (!(error instanceof ConfigError) || !refused) throw error;
    return { config: undefined, findings };
  }
}

/** Whatever in a configuration is not plain data under known keys. */
function strange(value: unknown, schema: Schema = configSchema): unknown[] {
  if (typeof value !== "object" || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((item) => strange(item, schema.items ?? {}));
  const known = schema.properties ?? {};
  // By shape: a clone may come from another realm.
  const plain = Object.getPrototypeOf(Object.getPrototypeOf(value)) === null;
  return Object.entries(value).flatMap(([key, below]) => {
    const own = Object.hasOwn(known, key) ? known[key] : schema.additionalProperties;
    if (!plain || own === false) return [key];
    return strange(below, typeof own === "object" ? own : {});
  });
}

test("nor does bringing one over crash", () => {
  const old = "global_enabled: true\nbackend: {backend_settings: {port: 1}}\nfeatures: {a: true}\n";
  const edits = fc.tuple(
    fc.nat(old.length),
    fc.nat(9),
    fc.string({ unit: "binary", maxLength: 9 }),
  );
  fc.assert(
    fc.property(edits, ([at, cut, put]) => {
      const imported = broughtOver(old.slice(0, at) + put + old.slice(at + cut));
      expect(read(imported ?? "").config).toBeDefined();
    }),
    { numRuns: 1_000 },
  );
});

function broughtOver(text: string): string | undefined {
  try {
    return importConfig(text, file).text;
  } catch (error) {
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
}
