import { expect, test } from "@jest/globals";
import * as fc from "fast-check";
import { checkSchema, parseYaml, plainData, type Schema, YamlError } from "@holdfast/document";

const SCHEMA: Schema = {
  $ref: "#/definitions/node",
  definitions: {
    node: {
      type: "object",
      oneOf: [
        {
          type: "object",
          required: ["type"],
          additionalProperties: false,
          properties: {
            type: { enum: ["group"] },
            items: { type: "array", items: { $ref: "#/definitions/node" } },
          },
        },
        {
          type: "object",
          required: ["type", "size"],
          additionalProperties: false,
          properties: { type: { enum: ["leaf", "bud"] }, size: { type: "integer" } },
        },
      ],
    },
  },
};

test.each([
  ["{type: group, items: [{type: leaf, size: 1}, {type: group}]}", []],
  ["{type: leaf}", [["", "lacks size"]]],
  ["{type: leef, size: 1}", [["type", '"leef" is not known']]],
  ["{size: 1}", [["", "lacks the key type"]]],
  ["{type: [leaf]}", [["type", "a list is not known"]]],
  ["{type: group, items: [{type: bud, size: x}]}", [["items[0].size", 'is "x"']]],
  ["{type: group, size: 1}", [["size", "is not a known key"]]],
  ["{type: group, items: [3]}", [["items[0]", "is 3"]]],
  ["[]", [["", "is a list"]]],
])("%s is judged by the branch that its type names", (text, expected) => {
  const found = checkSchema(parseYaml(text), SCHEMA);
  expect(found.map(({ path, message }) => [path, message])).toEqual(expected);
});

test("a type that is nearly one of the branches' is suggested", () => {
  const [found] = checkSchema(parseYaml("{type: leef}"), SCHEMA);
  expect(found).toMatchObject({ expected: "one of group, leaf, bud", suggestion: "leaf" });
});

// A mapping passed for any choice.
test.each(["{size: {}}", "{size: []}"])("%s is none of the choices", (text) => {
  const schema: Schema = { type: "object", properties: { size: { enum: ["small", 3] } } };
  expect(checkSchema(parseYaml(text), schema)).toMatchObject([
    { rule: "not-a-choice", path: "size", expected: "one of small, 3" },
  ]);
});

test("what JSON says is read as it is, whatever its keys are called", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      fc.pre(value !== null);
      const text = JSON.stringify(value);
      let read: unknown;
      try {
        read = plainData(parseYaml(text));
      } catch (error) {
        // JSON allows what YAML does not print.
        if (error instanceof YamlError) return;
        throw error;
      }
      expect(JSON.stringify(read)).toBe(JSON.stringify(JSON.parse(text)));
    }),
  );
  expect(plainData(parseYaml('{"__proto__": {"a": 1}}'))).toEqual(
    JSON.parse('{"__proto__": {"a": 1}}'),
  );
  expect(({} as { a?: number }).a).toBeUndefined();
});
