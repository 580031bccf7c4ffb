import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "@jest/globals";
import { memoryOn } from "./support/open-backups.ts";

const FIXTURE = fileURLToPath(new URL("fixtures/backup-process.ts", import.meta.url));
const FROM_SOURCE = "--conditions=@holdfast/source";
const CALLS = "trace=fsync,fdatasync,rename,renameat,renameat2,write";
const STRACE = ["-f", "-y", "-s", "4096", "-e", CALLS, "-o"];
const NOWHERE = { host: "127.0.0.1", port: 9 };

const obstacle = spawnSync("strace", ["-V"]).status === 0 ? undefined : "wants strace";
const underStrace = obstacle === undefined ? describe : describe.skip;

underStrace(`a backup under strace${obstacle === undefined ? "" : ` (${obstacle})`}`, () => {
  test("is on the disk before its name is, and its name before it is reported", async () => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), "holdfast-fsync-")));
    try {
      await using memory = memoryOn(NOWHERE, join(folder, "state"));
      await memory.add("must be on disk first", { waitMs: 0 });
      const backups = join(folder, "backups");
      const calls = traceOneBackup(folder, join(backups, "b.yaml"));
      const data = readdirSync(backups).find((name) => name.startsWith("b.") && name !== "b.yaml");
      const order = [
        `sync ${backups}/.${data}.holdfast-unfinished`,
        `sync ${backups}/.b.yaml.holdfast-unfinished`,
        `rename ${backups}/${data}`,
        `sync ${backups}`,
        `rename ${backups}/b.yaml`,
        `sync ${backups}`,
        "report",
      ];
      expect(calls.filter((call) => order.includes(call))).toEqual(order);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

/** The syncs, renames and the report of a process that writes one backup, in the order of their ends. */
function traceOneBackup(folder: string, path: string): string[] {
  const trace = join(folder, "trace");
  const settings = { ...NOWHERE, stateDirectory: join(folder, "state"), path, do: "backup" };
  const { status, stderr } = spawnSync(
    "strace",
    [...STRACE, trace, process.execPath, FROM_SOURCE, FIXTURE, JSON.stringify(settings)],
    { encoding: "utf8" },
  );
  if (status !== 0) throw new Error(`the backup ended with ${status}: ${stderr}`);
  const begun = new Map<string, string>();
  return readFileSync(trace, "utf8")
    .split("\n")
    .map((line) => {
      const [, thread = "", call = ""] = /^(\d+) +(.*)$/.exec(line) ?? [];
      const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(call)?.[1];
      if (call.endsWith("<unfinished ...>")) begun.set(thread, call);
      return nameOf(resumed === undefined ? call : `${begun.get(thread)}${resumed}`);
    });
}

function nameOf(call: string): string {
  if (!/\) += \d+$/.test(call)) return "";
  const synced = /^f(?:data)?sync\(\d+<(.*?)>/.exec(call)?.[1];
  if (synced !== undefined) return `sync ${synced}`;
  const renamed = /^rename.*"(.*?)"[^"]*$/.exec(call)?.[1];
  if (renamed !== undefined) return `rename ${renamed}`;
  return /^write\(1<.*\\"path\\"/.test(call) ? "report" : "";
}
