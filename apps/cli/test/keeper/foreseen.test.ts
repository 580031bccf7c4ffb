import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, jest, test } from "@jest/globals";
import { mountObstacle, smallDisk, until } from "@holdfast/testkit";
import { MonitorProcess } from "../monitor-process.ts";
import { Sandbox } from "../run-cli.ts";

jest.setTimeout(300_000);

const whenMounts = mountObstacle() === undefined ? describe : describe.skip;

whenMounts("on a disk of its own, where this user may mount one", () => {
  test("a disk that fills up is foreseen by the keeper: told, and no status changes", async () => {
    using disk = smallDisk(200);
    const sandbox = new Sandbox();
    const settings = `vector_store: {config: {persist_directory: "${join(disk.path, "data")}"}}\n`;
    writeFileSync(join(sandbox.folder, "holdfast.yaml"), settings);
    try {
      await sandbox.run(["memory", "add", "Ada prefers tea"]);
      const told = /foreseen +disk: 1\d\d MiB are free/;
      await until("a warning", async () =>
        told.test((await sandbox.run(["memory", "status"])).stdout),
      );
      const { json } = await sandbox.run(["memory", "status", "--json"]);
      expect(json.data.verdict.status).toBe("healthy");
      const health = await sandbox.run(["health", "--detailed"]);
      expect(health.stdout).toMatch(/foreseen +WARN +disk: 1\d\d MiB/);
      await using monitor = new MonitorProcess(sandbox, ["--interval", "1"]);
      const { report } = await monitor.event("checked");
      expect(report.status).toBe("healthy");
    } finally {
      await sandbox.run(["server", "stop"]);
      sandbox.remove();
    }
  });
});
