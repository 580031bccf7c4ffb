import { expect } from "@jest/globals";
import { keyTests } from "./key-tests.ts";

keyTests("config_version", {
  "": async (bench) => {
    bench.configure("config_version: 2");
    expect((await bench.run("memory", "status")).status).toBe(78);
  },
});
