import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, test } from "@jest/globals";
import { isRunning } from "@holdfast/sqlite";
import {
  type CheckResult,
  commandCheck,
  type HealthCheck,
  httpCheck,
  runChecks,
  tcpCheck,
} from "../src/index.ts";
import { after, scratchFolder } from "./scratch.ts";

async function resultOf(check: HealthCheck): Promise<CheckResult> {
  const [result] = await runChecks([check]);
  if (result === undefined) throw new Error("no result");
  return result;
}

async function serverThat(
  answers: Parameters<typeof createServer>[1] & {},
): Promise<{ url: string; port: number }> {
  const server = createServer(answers);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/health`, port };
}

/** A port that was free a moment ago. */
async function deadPort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe("http", () => {
  test.each([
    [200, undefined, "pass"],
    [302, undefined, "pass"],
    [404, undefined, "fail"],
    [503, undefined, "fail"],
    [404, 404, "pass"],
    [200, 204, "fail"],
  ] as const)("an answer of %i where %p is expected: %s", async (status, expectStatus, verdict) => {
    const { url } = await serverThat((_request, response) => {
      response.writeHead(status, { location: "http://127.0.0.1:1/" }).end("body");
    });
    const check = httpCheck({ name: "web", url, ...(expectStatus && { expectStatus }) });
    expect(await resultOf(check)).toMatchObject({ status: verdict, evidence: { status } });
  });

  test("sends the headers that it is given", async () => {
    const { url } = await serverThat(({ headers }, response) => {
      response.writeHead(headers["x-key"] === "secret" ? 200 : 401).end();
    });
    const check = httpCheck({ name: "web", url, headers: { "x-key": "secret" } });
    expect((await resultOf(check)).status).toBe("pass");
  });

  test("a server that hangs fails at the limit; one that is not there at once, with the reason", async () => {
    const { url } = await serverThat(() => undefined);
    expect(await resultOf(httpCheck({ name: "web", url, timeoutMs: 100 }))).toMatchObject({
      status: "fail",
      message: "no answer within 100 ms",
    });
    const gone = `http://127.0.0.1:${await deadPort()}/`;
    expect((await resultOf(httpCheck({ name: "web", url: gone }))).message).toContain(
      "ECONNREFUSED",
    );
  });
});

describe("tcp", () => {
  test("passes where a connection is accepted, and fails where none is", async () => {
    const { port } = await serverThat((_request, response) => void response.end());
    const of = (to: number): Promise<CheckResult> =>
      resultOf(tcpCheck({ name: "port", host: "127.0.0.1", port: to }));
    expect((await of(port)).status).toBe("pass");
    expect(await of(await deadPort())).toMatchObject({
      status: "fail",
      message: expect.stringContaining("ECONNREFUSED"),
    });
  });
});

describe("command", () => {
  test("passes with exit code 0, and else says what was said", async () => {
    const of = (...command: string[]): Promise<CheckResult> =>
      resultOf(commandCheck({ name: "script", command }));
    expect((await of("true")).status).toBe("pass");
    expect((await of("sh", "-c", "echo the queue is stuck; exit 2")).message).toBe(
      "sh ended with exit code 2: the queue is stuck",
    );
    expect((await of("/does/not/exist")).message).toContain("ENOENT");
  });

  // The program's error came after the check had failed for another reason, and ended the process.
  test("fails where no descriptor is free, and ends nobody", () => {
    const script = join(import.meta.dirname, "fixtures/no-descriptors.ts");
    const flags = "--conditions=@holdfast/source --disable-warning=ExperimentalWarning";
    const limited = `ulimit -n 64; exec "$0" ${flags} "$1"`;
    const ended = spawnSync("sh", ["-c", limited, process.execPath, script], { encoding: "utf8" });
    expect(ended.stdout).toBe("fail: true failed: spawn true EMFILE");
    expect([ended.status, ended.stderr]).toEqual([0, ""]);
  });

  test("one that hangs is killed at the limit", async () => {
    const check = commandCheck({ name: "script", command: ["sleep", "60"], timeoutMs: 100 });
    expect(await resultOf(check)).toMatchObject({ status: "fail" });
  });

  // A check that hung left one process more each time that it was made.
  test("what it has started is killed with it", async () => {
    const file = join(scratchFolder(), "pid");
    const script = 'sleep 60 & echo $! > "$0"; wait';
    const command = ["sh", "-c", script, file];
    const check = commandCheck({ name: "script", command, timeoutMs: 60_000 });
    const stop = new AbortController();
    const looking = runChecks([check], { signal: stop.signal });
    while (!existsSync(file) || readFileSync(file, "utf8") === "") await pause(20);
    stop.abort(new Error("enough"));
    await expect(looking).rejects.toThrow("enough");
    const pid = Number(readFileSync(file, "utf8"));
    while (isRunning(pid)) await pause(20);
  });
});
