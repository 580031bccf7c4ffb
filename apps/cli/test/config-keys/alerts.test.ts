import { expect, jest, test } from "@jest/globals";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { join } from "node:path";
import { parseConfig } from "@holdfast/config";
import { durationMs } from "@holdfast/core";
import { NOTIFIER_DEFAULTS, verifyWebhook } from "@holdfast/notify";
import type { CliResult } from "../run-cli.ts";
import { MonitorProcess } from "../monitor-process.ts";
import { type Bench, keyTests } from "./key-tests.ts";

jest.setTimeout(180_000);

/** One look, with alerts, at a store that nothing answers for. */
function alarm(bench: Bench, alerts: string, environment = {}): Promise<CliResult> {
  bench.configureDead(`alerts: {${alerts}}`);
  return bench.sandbox.run(["memory", "monitor", "--once", "--alerts", "--no-recover"], {
    environment,
  });
}

function told(bench: Bench): { state: string; title: string }[] {
  const file = join(bench.folder, "told");
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").trim().split("\n");
  return lines.map((line) => JSON.parse(line) as { state: string; title: string });
}

/** Receives webhooks, and remembers them. */
async function receiver(
  bench: Bench,
): Promise<{ port: number; posts: { headers: IncomingHttpHeaders; body: string }[] }> {
  const posts: { headers: IncomingHttpHeaders; body: string }[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += String(chunk)));
    request.on("end", () => {
      posts.push({ headers: request.headers, body });
      response.end();
    });
  });
  return { port: await bench.listen(server), posts };
}

async function flap(bench: Bench, cooldown: string): Promise<string[]> {
  const flag = join(bench.folder, "flag");
  rmSync(join(bench.folder, "told"), { force: true });
  writeFileSync(flag, "");
  bench.configure(
    [
      "vector_store: {config: {persist_directory: data}}",
      "health:",
      // At the first failure it tells, so that none may be a busy machine's.
      "  {interval: 200ms, timeout: 60, failure_threshold: 1, success_threshold: 1,",
      "   services: {mine: {command: [test, -f, flag], severity: unhealthy}}}",
      `alerts: {cooldown: ${cooldown}, channels: [{type: file, path: told}]}`,
    ].join("\n"),
  );
  await using monitor = new MonitorProcess(bench.sandbox, ["--alerts", "--no-recover"]);
  const becomes = async (status: string): Promise<void> => {
    const from = monitor.events.length;
    if (status === "unhealthy") rmSync(flag);
    else writeFileSync(flag, "");
    const isDown = (to: string): boolean => to === "unhealthy";
    await monitor.event("status", ({ to }) => isDown(to) === isDown(status), from);
  };
  await monitor.event("checked");
  for (const status of ["unhealthy", "healthy", "unhealthy", "healthy"]) await becomes(status);
  await monitor.stop();
  return told(bench).map(({ state }) => state);
}

keyTests("alerts", {
  "channels[].type": async (bench) => {
    const { stderr } = await alarm(bench, "channels: [{type: console}]");
    expect(stderr).toContain("CRITICAL The memory store is offline");
    const silent = await alarm(bench, "channels: [{type: file, path: told}]");
    expect(silent.stderr).not.toContain("CRITICAL");
  },
  "channels[].path": async (bench) => {
    await alarm(bench, "channels: [{type: file, path: told}]");
    expect(told(bench)).toMatchObject([{ state: "firing", title: "The memory store is offline" }]);
  },
  "channels[].command": async (bench) => {
    const file = join(bench.folder, "heard");
    await alarm(bench, `channels: [{type: command, command: [sh, -c, 'cat > "${file}"']}]`);
    expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ severity: "critical" });
  },
  "channels[].url": async (bench) => {
    const { port, posts } = await receiver(bench);
    const url = `http://127.0.0.1:${port}/alerts`;
    const channel = `{type: webhook, url: "${url}", allow_addresses: [127.0.0.1]}`;
    await alarm(bench, `channels: [${channel}]`);
    expect(posts).toHaveLength(1);
  },
  "channels[].secret": async (bench) => {
    const { port, posts } = await receiver(bench);
    const url = `http://127.0.0.1:${port}/alerts`;
    const channel = `{type: webhook, url: "${url}", allow_addresses: [127.0.0.1], secret: {env: HOOK}}`;
    await alarm(bench, `channels: [${channel}]`, { HOOK: "s3cret" });
    const [post] = posts;
    expect(post && verifyWebhook(post.headers, post.body, "s3cret")).toBe(true);
  },
  "channels[].allow_addresses": async (bench) => {
    const { port, posts } = await receiver(bench);
    const { stderr } = await alarm(
      bench,
      `channels: [{type: webhook, url: "http://127.0.0.1:${port}/alerts"}]`,
    );
    expect(posts).toEqual([]);
    expect(stderr).toContain("not a public address");
  },
  on: async (bench) => {
    await alarm(bench, "on: [degraded], channels: [{type: file, path: told}]");
    expect(told(bench)).toEqual([]);
    await alarm(bench, "on: [down], channels: [{type: file, path: told}]");
    expect(told(bench)).toHaveLength(1);
  },
  cooldown: async (bench) => {
    bench.configure("vector_store: {config: {persist_directory: data}}\n");
    expect((await bench.run("server", "start")).status).toBe(0);
    try {
      expect(await flap(bench, "0")).toEqual(["firing", "resolved", "firing", "resolved"]);
      expect(await flap(bench, "1h")).toEqual(["firing", "resolved"]);
    } finally {
      await bench.run("server", "stop");
    }
  },
});

test("the default cooldown is the notifier's own", () => {
  const { config } = parseConfig("", { file: "/x/holdfast.yaml", environment: {} });
  expect(durationMs(config.alerts.cooldown)).toBe(NOTIFIER_DEFAULTS.cooldownMs);
});
