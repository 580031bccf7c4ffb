import { appendFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, jest, test } from "@jest/globals";
import { mountObstacle, smallDisk, until } from "@holdfast/testkit";
import { keeperStatus } from "../../src/keeper/keeper-status.ts";
import { KeeperWorkspace } from "./keeper-workspace.ts";

// A real Chroma, on a machine that may be busy: how long it takes is not what is tested.
jest.setTimeout(300_000);

const obstacle = mountObstacle();
const whenMounts = obstacle === undefined ? describe : describe.skip;

/** Several looks at the store, at the interval of this test. */
const SILENT_MS = 5_000;

whenMounts(`on a full disk${obstacle === undefined ? "" : ` (${obstacle})`}`, () => {
  // It ended at the first word that its database did not take, and its server with it.
  test("the keeper stays, and serves again once there is room", async () => {
    using disk = smallDisk(120);
    await using workspace = new KeeperWorkspace(disk.path);
    const { dataDirectory } = workspace;
    const use = await workspace.ensure({ healthIntervalMs: 200 });
    const { memory } = await workspace.open();
    await memory.add("before the disk was full", { id: "before" });
    const keeper = keeperStatus(dataDirectory)?.pid;

    const filling = join(disk.path, "filling");
    try {
      fill(filling);
      await until("it cannot be heard", () => {
        const { running, silentMs = 0 } = keeperStatus(dataDirectory) ?? {};
        return running === false || silentMs > SILENT_MS;
      });
      expect(keeperStatus(dataDirectory)).toMatchObject({ running: true, pid: keeper });
    } finally {
      rmSync(filling);
    }
    await until("it serves", () => keeperStatus(dataDirectory)?.phase === "ready", 120_000);
    expect(keeperStatus(dataDirectory)?.pid).toBe(keeper);
    await use.endpoint();
    expect((await memory.get("before")).memory?.text).toBe("before the disk was full");
  });
});

/** Takes what room there is. */
function fill(path: string): void {
  for (const size of [1 << 20, 512]) {
    try {
      for (;;) appendFileSync(path, Buffer.alloc(size));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
    }
  }
}
