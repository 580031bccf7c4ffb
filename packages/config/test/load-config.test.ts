import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ConfigError, loadConfig, type LoadOptions } from "@holdfast/config";

let folder: string;
let options: LoadOptions;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "holdfast-config-")));
  mkdirSync(join(folder, "project/deep/er"), { recursive: true });
  options = {
    environment: {},
    workingDirectory: join(folder, "project/deep/er"),
    userDataDirectory: join(folder, "data"),
  };
});

afterEach(() => rmSync(folder, { recursive: true }));

function write(path: string, text: string): string {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

const named = (name: string): string => `vector_store: {config: {collection_name: ${name}}}\n`;

describe("which configuration is in force, first hit wins", () => {
  test("built-in defaults without any file, with data in the user's data directory", () => {
    const loaded = loadConfig(options);
    expect(loaded).toMatchObject({ source: "built-in", file: undefined, warnings: [] });
    expect(loaded.config.vector_store.config).toMatchObject({
      mode: "managed",
      collection_name: "memories",
      persist_directory: join(folder, "data/chroma"),
      allow_reset: false,
    });
    expect(loaded.config.circuit_breaker).toEqual({
      enabled: true,
      failure_threshold: 5,
      recovery_timeout: 60,
      success_threshold: 3,
      timeout: 30,
      half_open_probes_max: 1,
      ramp: 0,
    });
  });

  test("each place wins over those after it", () => {
    const nearest = write("project/holdfast.yaml", named("nearest"));
    expect(loadConfig(options)).toMatchObject({ source: "workspace", file: nearest });

    const deployed = write("data/deployments/staging/holdfast.yaml", "environment: staging\n");
    options.environment = { HOLDFAST_ENV: "staging" };
    expect(loadConfig(options)).toMatchObject({ source: "deployment", file: deployed });

    const byVariable = write("variable.yaml", named("variable"));
    options.environment = { HOLDFAST_ENV: "staging", HOLDFAST_CONFIG: byVariable };
    expect(loadConfig(options)).toMatchObject({ source: "HOLDFAST_CONFIG", file: byVariable });

    const flagged = write("project/deep/er/flag.yaml", named("flag"));
    expect(loadConfig({ ...options, file: "flag.yaml" })).toMatchObject({
      source: "flag",
      file: flagged,
    });
  });

  test("built-in defaults beside a file, when none is to be searched for", () => {
    write("project/holdfast.yaml", named("nearest"));
    expect(loadConfig({ ...options, search: false })).toMatchObject({ source: "built-in" });
  });

  test("the nearest of several files upwards", () => {
    write("project/holdfast.yaml", named("far"));
    const near = write("project/deep/holdfast.yaml", named("near"));
    expect(loadConfig(options).file).toBe(near);
  });
});

test("relative paths resolve from the file that states them", () => {
  write(
    "project/holdfast.yaml",
    "vector_store: {config: {persist_directory: ./db}}\nembedder: {options: {key: {file: k.txt}}}\n",
  );
  const { config, directory } = loadConfig(options);
  expect(directory).toBe(join(folder, "project"));
  expect(config.vector_store.config.persist_directory).toBe(join(folder, "project/db"));
  expect(config.embedder.options).toEqual({ key: { file: join(folder, "project/k.txt") } });
});

function failure(load: () => unknown): ConfigError {
  try {
    load();
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

test.each([
  ["a file that is not there", { file: "none.yaml" }, "CONFIG_NOT_FOUND", /holdfast init/],
  ["a folder", { file: "." }, "CONFIG_UNREADABLE", /a file/],
  [
    "an environment nothing is deployed for",
    { environmentName: "staging" },
    "CONFIG_NOT_FOUND",
    /--config/,
  ],
  [
    "an environment that does not exist",
    { environmentName: "../../x" },
    "CONFIG_NOT_FOUND",
    /--config/,
  ],
  ["a file without end", { file: "/dev/zero" }, "CONFIG_INVALID", /Correct/],
])("refuses %s and says what to do", (_name, changed, code, hint) => {
  const error = failure(() => loadConfig({ ...options, ...changed }));
  expect(error.code).toBe(code);
  expect(error.hint).toMatch(hint);
});

// What it loads again under another process, it refused there: `environment` was what was asked for.
test.each([
  ["HOLDFAST_ENV", { environment: { HOLDFAST_ENV: "prod" } }],
  ["--env", { environmentName: "prod" }],
])("refuses an environment that does not exist for a named file too: %s", (_name, asked) => {
  const file = write("named.yaml", named("any"));
  const error = failure(() => loadConfig({ ...options, file, ...asked }));
  expect(error).toMatchObject({
    code: "CONFIG_INVALID",
    hint: expect.stringMatching(/HOLDFAST_ENV/),
  });
  expect(error.message).toMatch(/^prod is not an environment; they are development,/);
});

// Each such letter became another one, unsaid.
test("a file that is not UTF-8 is unreadable", () => {
  const file = write("latin.yaml", "");
  writeFileSync(file, Buffer.from("policies: {seed: Grüße}\n", "latin1"));
  expect(failure(() => loadConfig({ ...options, file }))).toMatchObject({
    code: "CONFIG_UNREADABLE",
    message: expect.stringContaining("not UTF-8"),
    hint: expect.stringContaining("UTF-8"),
  });
});

// It was the system's error, which names no way out.
test("a file on the way up that leads nowhere is said to be unreadable", () => {
  mkdirSync(join(folder, "project"), { recursive: true });
  symlinkSync("holdfast.yaml", join(folder, "project/holdfast.yaml"));
  expect(failure(() => loadConfig(options))).toMatchObject({
    code: "CONFIG_UNREADABLE",
    message: expect.stringContaining("ELOOP"),
  });
});

test("refuses a file made for another environment than --env names", () => {
  write("project/holdfast.yaml", "environment: development\n");
  const error = failure(() =>
    loadConfig({ ...options, file: "../../holdfast.yaml", environmentName: "production" }),
  );
  expect(error).toMatchObject({ code: "CONFIG_INVALID" });
  expect(error.message).toMatch(/is for development, not for production/);
});
