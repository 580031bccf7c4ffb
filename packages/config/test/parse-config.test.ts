import { describe, expect, test } from "@jest/globals";
import {
  checkConfig,
  ConfigError,
  type Finding,
  formatFinding,
  parseConfig,
} from "@holdfast/config";

const FILE = "/project/holdfast.yaml";

function findings(text: string, environment: Record<string, string> = {}): Finding[] {
  return checkConfig(text, { file: FILE, environment });
}

function line(text: string, environment: Record<string, string> = {}): string {
  return findings(text, environment).map(formatFinding).join("\n");
}

describe("each finding says where, what, what was expected and what was meant", () => {
  test.each([
    ["circut_breaker: {}", "1:1: circut_breaker: is not a known key", "circuit_breaker?"],
    ["circuit_breaker:\n  enabled: yes", '2:12: circuit_breaker.enabled: is "yes"', "true?"],
    ["circuit_breaker: {timeout: soon}", '1:28: circuit_breaker.timeout: "soon" has', '"30s"'],
    ["circuit_breaker: {failure_threshold: 0}", "1:38: ", "a whole number from 1 to 1000"],
    ["circuit_breaker: {failure_threshold: 2.5}", "1:38: ", "a whole number from 1 to 1000"],
    ["environment: prod", '1:14: environment: "prod" is not known', "production"],
    ["vector_store:\n  config:\n    port: '8000'", "3:11: ", "8000 without quotes?"],
    ["vector_store: {provider: qdrant}", "1:26: ", "expected chroma"],
    ["vector_store: {config: {collection_name: a}}", "1:42: ", "3 to 512 letters"],
    ["outbox:\nkeeper: 3", "1:1: outbox: is empty", "expected a mapping"],
    ["- a\n- b", "1:1: is a list", "expected a mapping"],
    ["a: [1\nb: 2", "2:1: not YAML: deficient indentation", ""],
    ["outbox: {}\noutbox: {}", "2:1: the key outbox is given twice", "each key once"],
    ["a: 1\n---\nb: 2", "1:1: more than one document", ""],
    ["outbox: !!js/function 'x'", "1:9: the tag !!js/function is not allowed", "plain data"],
    ["outbox: *missing", "1:10: the alias *missing has no anchor", ""],
    ["__proto__: {polluted: true}", "1:1: __proto__: is not a known key", ""],
    ["config_version: 0", "1:17: config_version: 0 is not known", "expected 1"],
    ["config_version: 2\nunheard_of: {}", "1:17: is a configuration of the layout 2", "a newer"],
  ])("%j", (text, start, includes) => {
    const written = line(text);
    expect(written).toContain(`${FILE}:${start}`);
    expect(written).toContain(includes);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test("all of them are named at once, in the order of lines", () => {
    const found = findings("outbox: {records_max: 0}\nkeeper: 3\nnonsense: 1\n");
    expect(found.map((finding) => finding.line)).toEqual([1, 2, 3]);
  });

  test("the error carries the findings and what to do next", () => {
    const parse = (): unknown => parseConfig("keeper: 3", { file: FILE, environment: {} });
    expect(parse).toThrow(ConfigError);
    expect(parse).toThrow(
      expect.objectContaining({
        code: "CONFIG_INVALID",
        hint: `Correct line 1 of ${FILE}, then run the command again.`,
        findings: [expect.objectContaining({ line: 1, column: 9 })],
      }),
    );
  });
});

describe("secrets", () => {
  test.each([
    "vector_store: {config: {host: h, token: s3cret}}",
    "vector_store: {config: {host: h, token: '${TOKEN}'}}",
    "vector_store: {config: {host: h, headers: {Authorization: Bearer s3cret}}}",
  ])("are refused in the file, and not repeated: %s", (text) => {
    const written = line(text, { TOKEN: "s3cret" });
    expect(written).toContain("secrets are not written into the file");
    expect(written).toContain("{env: NAME} or {file: PATH}");
    expect(written).not.toContain("s3cret");
  });

  test("exactly one of env and file", () => {
    expect(line("vector_store: {config: {host: h, token: {}}}")).toContain("one of env, file");
    expect(line("vector_store: {config: {host: h, token: {env: A, file: b}}}")).toContain(
      "one of env, file",
    );
  });
});

describe("rules between keys", () => {
  test("path is the older name of persist_directory, which wins, with a note", () => {
    const text = `vector_store:
  provider: chroma
  config:
    collection_name: mem0_collection
    path: ./chroma_db
    persist_directory: ./chroma_db_persist
    allow_reset: false
    anonymized_telemetry: false
`;
    const { config, warnings } = parseConfig(text, { file: FILE, environment: {} });
    expect(config.vector_store.config).toMatchObject({
      persist_directory: "/project/chroma_db_persist",
      collection_name: "mem0_collection",
    });
    expect(warnings).toMatchObject([
      { severity: "note", line: 5, path: "vector_store.config.path" },
    ]);
    const alone = parseConfig("vector_store: {config: {path: old}}", {
      file: FILE,
      environment: {},
    });
    expect(alone.config.vector_store.config.persist_directory).toBe("/project/old");
  });

  test("a host means a server; a server needs a host; what a mode ignores is said", () => {
    const parsed = parseConfig("vector_store: {config: {host: h, persist_directory: d}}", {
      file: FILE,
      environment: {},
    });
    expect(parsed.config.vector_store.config.mode).toBe("server");
    expect(parsed.warnings[0]?.message).toBe("has no effect in mode server");
    expect(line("vector_store: {config: {mode: cloud}}")).toContain("cloud needs a token");
    expect(line("vector_store: {config: {mode: server}}")).toContain("server needs a host");
    expect(line("vector_store: {config: {host: 'http://h:1'}}")).toContain("more than a name");
  });
});

test("a name of one's own may be any, and is never a prototype", () => {
  const text = "health: {services: {__proto__: {tcp: 'h:1'}, constructor: {tcp: 'h:2'}}}";
  const { services } = parseConfig(text, { file: FILE, environment: {} }).config.health;
  expect(Object.keys(services)).toEqual(["__proto__", "constructor"]);
  expect((services as { tcp?: string }).tcp).toBeUndefined();
});

describe("variables", () => {
  const store = (value: string, environment: Record<string, string>): unknown =>
    parseConfig(`vector_store: {config: {host: h, ${value}}}`, { file: FILE, environment }).config
      .vector_store.config;

  test.each([
    ["port: '${PORT}'", { PORT: "81" }, '"81"'],
    ["tenant: '${NONE}'", {}, "the environment variable NONE is not set"],
    ["tenant: '${constructor}'", {}, "the environment variable constructor is not set"],
    ["tenant: '${NONE:?say who}'", {}, "NONE is not set: say who"],
    ["tenant: '${not a name}'", {}, "${not a name} is not a reference"],
  ])("%s is refused", (value, environment, message) => {
    expect(line(`vector_store: {config: {host: h, ${value}}}`, environment)).toContain(message);
  });

  test("are replaced after parsing, defaults and escapes included", () => {
    expect(store("tenant: '${T:-none}'", {})).toMatchObject({ tenant: "none" });
    expect(store("tenant: '${T:-none}'", { T: "a: [b" })).toMatchObject({ tenant: "a: [b" });
    expect(store("tenant: '$${T}'", { T: "x" })).toMatchObject({ tenant: "${T}" });
  });

  test("an unquoted one is read again as a number or boolean", () => {
    const text =
      "vector_store:\n  config:\n    host: h\n    port: ${PORT:-8000}\n    ssl: ${SSL}\n";
    const { config } = parseConfig(text, { file: FILE, environment: { SSL: "true" } });
    expect(config.vector_store.config).toMatchObject({ port: 8000, ssl: true });
  });
});

describe("bounds", () => {
  test("aliases, their expansion, depth and size", () => {
    const aliases = `a: &a 1\nb: [${"*a, ".repeat(60)}]`;
    expect(line(aliases)).toContain("too many aliases");
    const laughs = ["l0: &l0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"];
    for (let n = 1; n < 9; n += 1) laughs.push(`l${n}: &l${n} [${`*l${n - 1}, `.repeat(6)}]`);
    expect(line(laughs.join("\n"))).toContain("the aliases expand too far");
    expect(line("a: &a [*a]")).toContain("the aliases expand too far");
    expect(line("[".repeat(2_000))).toContain("nesting exceeded");
    expect(line(`# ${"x".repeat(1_100_000)}`)).toContain("too large");
  });
});
