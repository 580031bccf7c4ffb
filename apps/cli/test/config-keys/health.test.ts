import { expect, jest, test } from "@jest/globals";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { parseConfig } from "@holdfast/config";
import { HEALTH_DEFAULTS } from "@holdfast/recovery";
import { healthOptions } from "../../src/health-options.ts";
import { MonitorProcess } from "../monitor-process.ts";
import { type Bench, keyTests, type KeyTest } from "./key-tests.ts";
import { checksOf } from "./monitor-bench.ts";

jest.setTimeout(120_000);

const service = (text: string): string => `health: {services: {mine: {${text}}}}`;

/** The check of a service of one's own, as one look finds it. */
async function mine(bench: Bench, text: string) {
  bench.configureDead(service(text));
  const { mine: check } = await checksOf(bench);
  if (check === undefined) throw new Error("there is no such check");
  return check;
}

/** The streak at which a check changes its mind, when what it looks at turns over. */
function turnsAfter(threshold: string, toFailing: boolean): KeyTest {
  return async (bench) => {
    bench.configureDead(
      `health: {interval: 100ms, ${threshold}: 3, services: {mine: {command: [test, -f, flag]}}}`,
    );
    const flag = join(bench.folder, "flag");
    if (toFailing) writeFileSync(flag, "");
    await using monitor = new MonitorProcess(bench.sandbox, ["--no-recover"]);
    const seen = (belief: string): Promise<{ streak: number }> =>
      monitor.until(() =>
        monitor.events
          .flatMap(({ type, report }) => (type === "checked" ? report.checks : []))
          .findLast(({ check, belief: each }) => check === "mine" && each === belief),
      );
    await seen(toFailing ? "passing" : "failing");
    if (toFailing) rmSync(flag);
    else writeFileSync(flag, "");
    expect(existsSync(flag)).toBe(!toFailing);
    const first = await monitor.until(() => {
      const reports = monitor.events
        .filter(({ type }) => type === "checked")
        .flatMap(({ report }) => report.checks)
        .filter(({ check }) => check === "mine");
      const before = toFailing ? "suspect" : "returning";
      const at = reports.findIndex(({ belief }) => belief === before);
      return at < 0 ? undefined : reports.slice(at).find(({ belief }) => belief !== before);
    });
    expect(first.streak).toBe(3);
  };
}

keyTests("health", {
  interval: async (bench) => {
    bench.configureDead("health: {interval: 100ms}");
    await using monitor = new MonitorProcess(bench.sandbox, ["--no-recover"]);
    // Without it, even an anxious monitor waits for two seconds.
    const times = await monitor.until(() => {
      const looks = monitor.events.filter(({ type }) => type === "checked");
      return looks.length < 8 ? undefined : looks.map(({ report }) => report.at as number);
    });
    const gaps = times.slice(1).map((at, index) => at - (times[index] ?? 0));
    expect(Math.min(...gaps)).toBeLessThan(1_500);
  },
  timeout: async (bench) => {
    const port = await bench.listen(createServer(() => undefined));
    const store = `vector_store: {config: {host: 127.0.0.1, port: ${port}}}`;
    bench.configure(`${store}\nhealth: {timeout: 300ms}\n`);
    const { place } = await checksOf(bench);
    expect(place).toMatchObject({ status: "fail" });
    expect(place?.last.message).toMatch(/no answer within \d{1,3} ms/);
  },
  canary: async (bench) => {
    bench.configureDead("health: {canary: false}");
    expect(await checksOf(bench)).not.toHaveProperty("canary");
    bench.configureDead("health: {canary: true}");
    expect(await checksOf(bench)).toHaveProperty("canary");
  },
  failure_threshold: turnsAfter("failure_threshold", true),
  success_threshold: turnsAfter("success_threshold", false),
  token: async (bench) => {
    bench.configureDead("health: {token: {env: MONITOR_TOKEN}}");
    await using monitor = new MonitorProcess(
      bench.sandbox,
      ["--no-recover", "--listen", "127.0.0.1:0"],
      { MONITOR_TOKEN: "s3cret" },
    );
    const url = `${await monitor.url()}/livez`;
    const ask = async (token: string): Promise<number> =>
      (await fetch(url, { headers: { authorization: `Bearer ${token}` } })).status;
    expect([(await fetch(url)).status, await ask("wrong"), await ask("s3cret")]).toEqual([
      401, 401, 200,
    ]);
  },
  "services.*.http": async (bench) => {
    const { port, asked } = await bench.listener();
    const check = await mine(bench, `http: "http://127.0.0.1:${port}/there"`);
    expect(check.last.message).toContain("answers 500");
    expect(asked.map(({ url }) => url)).toContain("/there");
  },
  "services.*.expect_status": async (bench) => {
    const { port } = await bench.listener();
    const at = `http: "http://127.0.0.1:${port}/"`;
    expect((await mine(bench, `${at}, expect_status: 500`)).status).toBe("pass");
  },
  "services.*.tcp": async (bench) => {
    const { port } = await bench.listener();
    expect((await mine(bench, `tcp: "127.0.0.1:${port}"`)).status).toBe("pass");
    expect((await mine(bench, 'tcp: "127.0.0.1:9"')).last.message).toContain("ECONNREFUSED");
  },
  "services.*.command": async (bench) => {
    const check = await mine(bench, 'command: [sh, -c, "echo it is stuck; exit 3"]');
    expect(check.last.message).toBe("sh ended with exit code 3: it is stuck");
  },
  "services.*.timeout": async (bench) => {
    const check = await mine(bench, 'command: [sleep, "60"], timeout: 200ms');
    expect(check.last.message).toContain("200 ms");
  },
  "services.*.severity": async (bench) => {
    expect((await mine(bench, "command: [`false`]".replaceAll("`", '"'))).severity).toBe(
      "degraded",
    );
    const check = await mine(bench, 'command: ["false"], severity: offline');
    expect(check.severity).toBe("offline");
  },
});

test("the defaults are the health loop's own", () => {
  const { config } = parseConfig("", { file: "/x/holdfast.yaml", environment: {} });
  const { anxiousMs: _, ...own } = HEALTH_DEFAULTS;
  expect(healthOptions(config)).toEqual({ ...own, canary: true });
});
