import { expect } from "@jest/globals";
import { keyTests } from "./key-tests.ts";

keyTests("keeper", {
  idle_timeout: async (bench) => {
    bench.sandbox.waitForServer();
    bench.configure("keeper: {idle_timeout: 1s}");
    expect((await bench.run("memory", "add", "x")).json.data.durability).toBe("stored");
    const deadline = Date.now() + 60_000;
    while ((await bench.run("server", "status")).status !== 13)
      expect(Date.now()).toBeLessThan(deadline);
    expect((await bench.run("server", "stop")).json.data.stopped).toBe(false);
  },
});
