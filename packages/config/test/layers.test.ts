import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Config,
  ConfigError,
  configSchema,
  explainConfig,
  loadConfig,
  type LoadOptions,
  variableOf,
} from "@holdfast/config";

let folder: string;
let options: LoadOptions & { environment: Record<string, string>; settings: string[] };

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "holdfast-layers-")));
  const workingDirectory = folder;
  const userDataDirectory = join(folder, "data");
  options = { environment: {}, settings: [], workingDirectory, userDataDirectory };
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
const load = (): Config => loadConfig(options).config;

function failure(attempt: () => unknown): ConfigError {
  try {
    attempt();
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

test("each layer wins over those below it, key by key", () => {
  write("holdfast.yaml", "environment: staging\noutbox:\n  records_max: 2\n  wait: 2\n");
  expect(load().outbox).toMatchObject({ records_max: 2, wait: 2, bytes_max: 268_435_456 });
  write("holdfast.staging.yaml", "outbox:\n  records_max: 3\n");
  write("holdfast.production.yaml", "outbox:\n  records_max: 30\n");
  expect(load().outbox).toMatchObject({ records_max: 3, wait: 2 });
  options.environment = { HOLDFAST_OUTBOX_RECORDS_MAX: "4" };
  expect(load().outbox).toMatchObject({ records_max: 4, wait: 2 });
  options.settings = ["outbox.records_max=5"];
  expect(load().outbox).toMatchObject({ records_max: 5, wait: 2 });

  const [explained] = explainConfig("outbox.records_max", options);
  expect(explained).toMatchObject({ value: 5, layer: "flag", default: 100_000 });
  expect(explained?.statements).toEqual([
    { layer: "flag", file: "--set outbox.records_max", line: 1, column: 1, value: 5 },
    { layer: "variable", file: "HOLDFAST_OUTBOX_RECORDS_MAX", line: 1, column: 1, value: 4 },
    { layer: "overlay", file: join(folder, "holdfast.staging.yaml"), line: 2, column: 3, value: 3 },
    { layer: "file", file: join(folder, "holdfast.yaml"), line: 3, column: 3, value: 2 },
  ]);
  expect(explainConfig("outbox.wait", options)[0]).toMatchObject({ value: 2, layer: "file" });
  expect(explainConfig("outbox.kept_bytes_max", options)[0]).toMatchObject({ layer: "default" });
});

describe("the environment", () => {
  test.each([
    ["the file states it", "environment: staging\n", {}, [], "staging"],
    [
      "a variable states it",
      "environment: staging\n",
      { HOLDFAST_ENVIRONMENT: "testing" },
      [],
      "testing",
    ],
    [
      "a flag states it",
      "",
      { HOLDFAST_ENVIRONMENT: "testing" },
      ["environment=production"],
      "production",
    ],
    ["nothing states it", "", {}, [], "development"],
  ])("selects the overlay: %s", (_name, text, environment, settings, expected) => {
    write("holdfast.yaml", text);
    for (const name of ["development", "testing", "staging", "production"])
      write(`holdfast.${name}.yaml`, `vector_store: {config: {collection_name: of-${name}}}\n`);
    Object.assign(options, { environment, settings });
    const config = load();
    expect([config.environment, config.vector_store.config.collection_name]).toEqual([
      expected,
      `of-${expected}`,
    ]);
  });

  test("--env decides for a file that states none, and an overlay cannot change it", () => {
    write("holdfast.yaml", "outbox: {}\n");
    write("holdfast.production.yaml", "keeper: {idle_timeout: 1h}\n");
    const asked = { ...options, file: "holdfast.yaml", environmentName: "production" };
    const { config } = loadConfig(asked);
    expect([config.environment, config.keeper.idle_timeout]).toEqual(["production", "1h"]);
    expect(explainConfig("environment", asked)[0]).toMatchObject({ layer: "selection" });
    write("holdfast.production.yaml", "environment: staging\n");
    expect(failure(() => loadConfig(asked)).message).toMatch(/is for production by its name/);
  });
});

describe("variables and flags", () => {
  test("are typed as the file is, and a path resolves from where the command was given", () => {
    write("holdfast.yaml", "");
    options.workingDirectory = join(folder, "elsewhere");
    options.file = "../holdfast.yaml";
    options.environment = {
      HOLDFAST_CIRCUIT_BREAKER_ENABLED: "false",
      HOLDFAST_CIRCUIT_BREAKER_TIMEOUT: "5s",
      HOLDFAST_VECTOR_STORE_CONFIG_COLLECTION_NAME: "12345",
      HOLDFAST_VECTOR_STORE_CONFIG_COMMAND: "[chroma, '--quiet']",
      HOLDFAST_OUTBOX_WAIT: "",
    };
    options.settings = ["vector_store.config.persist_directory=db"];
    const config = load();
    expect(config.circuit_breaker).toMatchObject({ enabled: false, timeout: "5s" });
    expect(config.outbox.wait).toBe(10);
    expect(config.vector_store.config).toMatchObject({
      collection_name: "12345",
      command: ["chroma", "--quiet"],
      persist_directory: join(folder, "elsewhere/db"),
    });
  });

  test("a secret in one layer replaces the one below, it is not joined with it", () => {
    write("holdfast.yaml", "vector_store: {config: {host: h, token: {env: A}}}\n");
    options.environment = { HOLDFAST_VECTOR_STORE_CONFIG_TOKEN: "{file: /secret}" };
    expect(load().vector_store.config.token).toEqual({ file: "/secret" });
    expect(explainConfig("vector_store.config.token", options)).toHaveLength(1);
  });

  test("their mistakes name them", () => {
    write("holdfast.yaml", "");
    options.environment = { HOLDFAST_CIRCUIT_BREAKER_ENABLED: "yes" };
    expect(failure(load).message).toMatch(
      /^HOLDFAST_CIRCUIT_BREAKER_ENABLED:1:1: circuit_breaker.enabled: is "yes".*did you mean true/,
    );
    expect(failure(load).hint).toMatch(/^Correct HOLDFAST_CIRCUIT_BREAKER_ENABLED, then/);
    options.environment = {};
    options.settings = ["outbox.wiat=3"];
    expect(failure(load).hint).toBe("Did you mean --set outbox.wait=…?");
    expect(failure(load).findings).toMatchObject([{ file: "--set outbox.wiat" }]);
    options.settings = ["outbox"];
    expect(failure(load).message).toContain("not path=value");
    options.settings = ["outbox.wait=[1"];
    expect(failure(load).message).toContain("--set outbox.wait:1:");
    expect(failure(load).hint).toMatch(/^Correct --set outbox.wait, then/);
  });

  test("a variable that names no key is a warning, unless the configuration speaks of it", () => {
    write("holdfast.yaml", "");
    options.environment = { HOLDFAST_OUTBOX_WIAT: "3", HOLDFAST_CACHE_DIR: "/c" };
    expect(loadConfig(options).warnings).toMatchObject([
      { file: "HOLDFAST_OUTBOX_WIAT", suggestion: "HOLDFAST_OUTBOX_WAIT" },
    ]);
    write("holdfast.yaml", "embedder: {options: {key: {env: HOLDFAST_OUTBOX_WIAT}}}\n");
    expect(loadConfig(options).warnings).toEqual([]);
  });

  test("no two keys share a variable, and none has another meaning", () => {
    const names: string[] = [];
    const visit = (schema: { properties?: object }, path: string): void => {
      for (const [key, sub] of Object.entries(schema.properties ?? {})) {
        const at = path === "" ? key : `${path}.${key}`;
        names.push(variableOf(at));
        visit(sub as { properties?: object }, at);
      }
    };
    visit(configSchema, "");
    expect(names.length).toBeGreaterThan(30);
    expect(new Set(names).size).toBe(names.length);
    for (const taken of ["HOLDFAST_CONFIG", "HOLDFAST_ENV", "HOLDFAST_CACHE_DIR"])
      expect(names).not.toContain(taken);
  });
});

test("a mode that an overlay replaces leaves no warnings about the keys of the one below", () => {
  write("holdfast.yaml", "vector_store: {config: {persist_directory: db}}\n");
  write("holdfast.development.yaml", "vector_store: {config: {host: h}}\n");
  expect(loadConfig(options).warnings).toEqual([]);
});

test("explains a section key by key, hides what looks secret, and knows no strange key", () => {
  write("holdfast.yaml", "embedder: {options: {api_key: s3cret, size: 3}}\n");
  const explained = explainConfig("embedder", options);
  expect(explained.map(({ path, value }) => [path, value])).toEqual([
    ["embedder.provider", "default"],
    ["embedder.model", undefined],
    ["embedder.options.api_key", "(not shown)"],
    ["embedder.options.size", 3],
  ]);
  expect(JSON.stringify(explainConfig("", options))).not.toContain("s3cret");
  expect(failure(() => explainConfig("outbox.wiat", options))).toMatchObject({
    code: "CONFIG_KEY_UNKNOWN",
    hint: "Did you mean: holdfast config explain outbox.wait",
  });
});
