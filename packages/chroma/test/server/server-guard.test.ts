import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { commandLine } from "../../src/server/server-program.ts";

// The keeper was taken to be whoever was the parent once the guard ran: init, which never ends.
test("a server whose keeper died before the guard ran is ended", async () => {
  const scratch = mkdtempSync(join(tmpdir(), "holdfast-guard-"));
  const file = join(scratch, "binding.cjs");
  writeFileSync(
    file,
    "exports.cli = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);",
  );
  const { pid: keeperPid } = spawnSync(process.execPath, ["--version"]);
  const [command, ...args] = commandLine({ kind: "bindings", file }, ["run"], {
    stateDirectory: scratch,
    stopSignal: "SIGTERM",
    orphanMs: 100,
    keeperPid,
  });
  const server = spawn(command, args, { stdio: "ignore" });
  try {
    expect(await once(server, "exit")).toEqual([null, "SIGTERM"]);
  } finally {
    server.kill("SIGKILL");
    rmSync(scratch, { recursive: true, force: true });
  }
});
