import { expect } from "@jest/globals";
import { keyTests } from "./key-tests.ts";

keyTests("embedder", {
  provider: async (bench) => {
    delete bench.sandbox.environment["HOLDFAST_EMBEDDER_PROVIDER"];
    bench.configureDead("embedder: {provider: nonsense}");
    expect((await bench.run("memory", "add", "x")).json.error.code).toBe("EMBEDDER_UNKNOWN");
  },
  model: async (bench) => {
    bench.configureDead("embedder: {model: nonsense}");
    expect((await bench.run("memory", "add", "x")).json.error.code).toBe(
      "EMBEDDER_OPTIONS_INVALID",
    );
  },
  options: async (bench) => {
    bench.configureDead("embedder: {options: {a: 1}}");
    expect((await bench.run("memory", "add", "x")).json.error.code).toBe(
      "EMBEDDER_OPTIONS_INVALID",
    );
  },
});
