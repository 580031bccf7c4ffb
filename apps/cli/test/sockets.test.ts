import { describe, expect, test } from "@jest/globals";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BIN, NODE_OPTIONS, Sandbox } from "./run-cli.ts";

const obstacle = spawnSync("strace", ["-V"]).status === 0 ? undefined : "wants strace";
const underStrace = obstacle === undefined ? describe : describe.skip;

const SESSION = [
  "init",
  "memory add the_sky_is_blue",
  "memory search sky",
  "memory status",
  "health",
  "memory backup",
  "memory monitor --once",
  "memory validate holdfast.yaml --strict",
  "server stop",
];
/** Reserved for documentation: nothing is there. */
const ELSEWHERE = "192.0.2.1";

underStrace(`a session under strace${obstacle === undefined ? "" : ` (${obstacle})`}`, () => {
  test("opens sockets on loopback alone, its server included, and to an endpoint that is configured", async () => {
    const user = new Sandbox();
    try {
      // A server that is not on this machine yet may be fetched; that is another matter.
      expect((await user.run(["server", "install"])).status).toBe(0);
      const session = trace(user, SESSION);
      expect(session.statuses.filter((status) => status !== "0" && status !== "3")).toEqual([]);
      expect(session.addresses).toEqual(["127.0.0.1"]);

      const store = `vector_store: {config: {host: ${ELSEWHERE}, port: 9}}`;
      writeFileSync(join(user.folder, "elsewhere.yaml"), store);
      const named = trace(user, ["memory validate elsewhere.yaml --strict"]);
      expect(named).toEqual({ statuses: ["4"], addresses: [ELSEWHERE] });
    } finally {
      await user.run(["server", "stop"]);
      user.remove();
    }
  }, 300_000);
});

/** What commands and all that they start end with, and the addresses of every socket of theirs. */
function trace(
  user: Sandbox,
  commands: readonly string[],
): { statuses: string[]; addresses: string[] } {
  const file = join(user.folder, "trace");
  const holdfast = [process.execPath, ...NODE_OPTIONS, BIN].join(" ");
  const script = commands.map((command) => `${holdfast} ${command} >/dev/null 2>&1; echo $?`);
  const calls = "trace=connect,bind,sendto,sendmsg,sendmmsg";
  const args = ["-f", "--seccomp-bpf", "-e", calls, "-o", file, "sh", "-c", script.join("\n")];
  const { stdout } = spawnSync("strace", args, {
    cwd: user.folder,
    // Traced, a check takes longer than its limit lets it where the machine is busy, too.
    env: {
      ...user.environment,
      HOLDFAST_TRIGGERS_ENABLED: "true",
      HOLDFAST_HEALTH_TIMEOUT: "60s",
    },
    encoding: "utf8",
  });
  const found = readFileSync(file, "utf8").matchAll(/inet_(?:addr\(|pton\(AF_INET6, )"([^"]+)"/g);
  return {
    statuses: stdout.trim().split("\n"),
    addresses: [...new Set(Array.from(found, ([, address = ""]) => address))].toSorted(),
  };
}
