import { expect, test } from "@jest/globals";
import { Ajv } from "ajv";
import * as fc from "fast-check";
import { checkConfig, configSchema, parseConfig } from "@holdfast/config";
import { durationMs } from "@holdfast/core";
import { checkSchema, parseYaml, type Schema } from "@holdfast/document";

const validate = new Ajv({ strict: false }).compile(configSchema);

/** Documents of the schema's own keys, mostly with values of the right kind, a few wild. */
function documentOf(schema: Schema): fc.Arbitrary<unknown> {
  const wild = fc.oneof(
    fc.constantFrom<unknown>(null, true, "", "30s", "x", 0, 1.5, -1, 70_000, [], ["x"], {}),
    fc.jsonValue({ maxDepth: 1 }),
  );
  return fc.oneof({ weight: 60, arbitrary: rightKind(schema) }, { weight: 1, arbitrary: wild });
}

function rightKind(schema: Schema): fc.Arbitrary<unknown> {
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  const kinds = [schema.type ?? []].flat();
  if (kinds.includes("boolean")) return fc.boolean();
  if (kinds.includes("string") && kinds.includes("number"))
    return fc.oneof(fc.nat(), fc.constantFrom("5m", "1.5h", "10"));
  if (kinds.includes("number")) return fc.constantFrom(0.5, 1, 2);
  if (kinds.includes("integer")) return fc.integer({ min: 1, max: 5_000 });
  if (kinds.includes("array")) return fc.array(documentOf(schema.items ?? {}), { maxLength: 3 });
  if (kinds.includes("string")) return fc.stringMatching(/^[a-z]{3,9}$/);
  if (schema.properties !== undefined) return someOf(schema);
  if (typeof schema.additionalProperties !== "object") return fc.constant({});
  return fc.dictionary(fc.string(), documentOf(schema.additionalProperties), { maxKeys: 2 });
}

/** A few of the keys: with all of them, no document would be right. What is needed mostly is there. */
function someOf({ properties = {}, required = [] }: Schema): fc.Arbitrary<unknown> {
  const others = Object.keys(properties).filter((key) => !required.includes(key));
  const own = (keys: readonly string[]): fc.Arbitrary<unknown> =>
    fc.record(Object.fromEntries(keys.map((key) => [key, documentOf(properties[key] ?? {})])));
  return fc
    .tuple(fc.subarray(others, { maxLength: Math.min(3, others.length) }), fc.nat(50))
    .chain(([some, lacks]) => own(lacks === 0 ? some : [...required, ...some]));
}

test("our reading of the schema agrees with ajv's on any document", () => {
  const verdicts = { accepted: 0, refused: 0 };
  fc.assert(
    fc.property(documentOf(configSchema), (document) => {
      // An empty document is an empty mapping to us.
      fc.pre(document !== null);
      const text = JSON.stringify(document);
      const accepted = checkSchema(parseYaml(text), configSchema).length === 0;
      expect({ text, accepted }).toEqual({ text, accepted: validate(document) });
      verdicts[accepted ? "accepted" : "refused"] += 1;
    }),
    { numRuns: 1_500 },
  );
  expect(verdicts.accepted).toBeGreaterThan(100);
  expect(verdicts.refused).toBeGreaterThan(100);
});

test("the schema's pattern of a duration accepts what durationMs reads, and nothing else", () => {
  const reads = (text: string): boolean => {
    try {
      return durationMs(text) >= 0;
    } catch {
      return false;
    }
  };
  const pattern = new RegExp(configSchema.properties.keeper.properties.idle_timeout.pattern);
  const unit = fc.constantFrom("", "s", " m", "h", "ms", "d", "y");
  const written = fc.tuple(fc.double({ min: 0 }), unit).map(([number, of]) => `${number}${of}`);
  fc.assert(
    fc.property(fc.oneof(fc.string(), written), (value) => {
      expect({ value, fits: pattern.test(value) }).toEqual({ value, fits: reads(value) });
    }),
  );
});

test("the file of every secret is a path, which resolves from what states it", () => {
  const references = (schema: Schema, path: string): [string, unknown][] => {
    const { properties = {}, items = {}, additionalProperties: others } = schema;
    const below = Object.entries({
      ...properties,
      ...(schema.items === undefined ? {} : { "[]": items }),
      ...(typeof others === "object" ? { "*": others } : {}),
    });
    if (Object.keys(properties).join() === "env,file")
      return [[path, (properties["file"] as { "x-path"?: string })["x-path"]]];
    return below.flatMap(([key, each]) => references(each, `${path}.${key}`));
  };
  const found = references(configSchema, "");
  expect(found.length).toBeGreaterThan(4);
  expect(found.filter(([, kind]) => kind !== "file")).toEqual([]);
});

test("the defaults are valid by their own schema", () => {
  const { config } = parseConfig("", { file: "/f.yaml", environment: {} });
  expect([validate(config), validate.errors]).toEqual([true, null]);
});

test("any text is read or refused, never a crash", () => {
  const base = JSON.stringify(parseConfig("", { file: "/f.yaml", environment: {} }).config);
  const mutated = fc
    .tuple(fc.nat(base.length), fc.nat(8), fc.string({ unit: "binary", maxLength: 6 }))
    .map(([at, cut, put]) => base.slice(0, at) + put + base.slice(at + cut));
  fc.assert(
    fc.property(fc.oneof(mutated, fc.string()), (text) => {
      expect(Array.isArray(checkConfig(text, { file: "/f.yaml", environment: {} }))).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});
