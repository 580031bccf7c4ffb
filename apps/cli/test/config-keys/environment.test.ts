import { expect } from "@jest/globals";
import { keyTests } from "./key-tests.ts";

keyTests("environment", {
  "": async (bench) => {
    bench.configure("environment: staging");
    const { json } = await bench.run("memory", "status");
    expect(json.data.configuration.environment).toBe("staging");
    const asked = ["--config", "holdfast.yaml", "--env", "production"];
    const other = await bench.run("memory", "status", ...asked);
    expect(other).toMatchObject({ status: 78, json: { error: { code: "CONFIG_INVALID" } } });
  },
});
