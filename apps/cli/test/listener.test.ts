import { request } from "node:http";
import { afterEach, describe, expect, test } from "@jest/globals";
import { HoldfastError } from "@holdfast/core";
import type { CheckReport, HealthReport } from "@holdfast/recovery";
import { HealthListener, type HealthListenerDeps } from "../src/listener/health-listener.ts";
import { isLoopback, listenAddress } from "../src/listener/listen-address.ts";

const CHECK: CheckReport = {
  check: "canary",
  service: "chroma",
  severity: "unhealthy",
  status: "pass",
  belief: "passing",
  last: {
    check: "canary",
    service: "chroma",
    severity: "unhealthy",
    status: "pass",
    message: "it came back",
    at: Date.UTC(2026, 0, 5),
    tookMs: 12.5,
  },
  streak: 3,
  since: Date.UTC(2026, 0, 4),
  ageMs: 5,
};

const reportOf = (status: HealthReport["status"]): HealthReport => ({
  status,
  checks: [CHECK],
  at: Date.UTC(2026, 0, 5),
});

const opened: HealthListener[] = [];
afterEach(async () => {
  for (const listener of opened.splice(0)) await listener.close();
});

async function open(
  deps: Partial<HealthListenerDeps> = {},
  options: { host?: string; token?: string } = {},
): Promise<string> {
  const listener = new HealthListener(
    {
      host: "127.0.0.1",
      port: 0,
      token: undefined,
      intervalMs: 30_000,
      version: "1.2.3",
      ...options,
    },
    {
      report: () => reportOf("healthy"),
      metrics: (accept) => ({ text: `# ${accept}\n`, contentType: "text/plain" }),
      lookAgeMs: () => 5,
      ...deps,
    },
  );
  opened.push(listener);
  return listener.open();
}

/** As `fetch`, which would not let a test state its own Host. */
function ask(
  url: string,
  headers: Record<string, string> = {},
  method = "GET",
): Promise<{ status: number; body: string; headers: Record<string, unknown> }> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { headers, method }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => (body += text));
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, body, headers: response.headers }),
      );
    });
    asked.once("error", reject);
    asked.end();
  });
}

describe("what is served", () => {
  test.each([
    ["healthy", 200, "pass"],
    ["degraded", 200, "warn"],
    ["recovering", 200, "warn"],
    ["unhealthy", 503, "fail"],
    ["offline", 503, "fail"],
    ["unknown", 503, "fail"],
  ] as const)(
    "a %s store: ready and health answer %i, and it is %s",
    async (status, code, word) => {
      const url = await open({ report: () => reportOf(status) });
      expect(await ask(`${url}/readyz`)).toMatchObject({ status: code, body: `${status}\n` });
      const health = await ask(`${url}/health`);
      expect(health.status).toBe(code);
      expect(health.headers["content-type"]).toBe("application/health+json");
      expect(JSON.parse(health.body)).toMatchObject({
        status: word,
        releaseId: "1.2.3",
        checks: { "chroma:canary": [{ status: "pass", observedValue: 12.5, observedUnit: "ms" }] },
      });
    },
  );

  test("the store's trouble is not the monitor's: it is alive as long as it looks", async () => {
    const down = await open({ report: () => reportOf("offline") });
    expect((await ask(`${down}/livez`)).status).toBe(200);
    const stuck = await open({ lookAgeMs: () => 3_600_000 });
    expect((await ask(`${stuck}/livez`)).status).toBe(503);
    const young = await open({ lookAgeMs: () => undefined });
    expect((await ask(`${young}/livez`)).status).toBe(200);
  });

  test("metrics come in the format that is asked for; HEAD without a body", async () => {
    const url = await open();
    const accept = "application/openmetrics-text";
    expect((await ask(`${url}/metrics`, { accept })).body).toBe(`# ${accept}\n`);
    expect(await ask(`${url}/livez`, {}, "HEAD")).toMatchObject({ status: 200, body: "" });
    expect((await ask(`${url}/elsewhere`)).status).toBe(404);
  });

  // The monitor ended by the error of whoever asked it at a bad moment.
  test("what cannot be read this moment is an answer, and no end of the monitor", async () => {
    const url = await open({
      metrics: () => {
        throw new HoldfastError("the metrics are locked", { code: "SQLITE_BUSY" });
      },
    });
    expect(await ask(`${url}/metrics`)).toMatchObject({ status: 503, body: "SQLITE_BUSY\n" });
    expect((await ask(`${url}/livez`)).status).toBe(200);
  });
});

describe("who is answered", () => {
  test.each([
    [{}, 200],
    [{ host: "localhost:1" }, 200],
    [{ host: "[::1]:1" }, 200],
    [{ host: "evil.example" }, 421],
    [{ host: "127.0.0.1.evil.example" }, 421],
    [{ origin: "http://evil.example" }, 403],
    [{ origin: "null" }, 403],
    [{ host: "localhost:80", origin: "http://localhost:80" }, 200],
  ])("%j: %i", async (headers, status) => {
    expect((await ask(`${await open()}/health`, headers as Record<string, string>)).status).toBe(
      status,
    );
  });

  test.each(["POST", "PUT", "DELETE", "OPTIONS"])("%s is refused", async (method) => {
    expect((await ask(`${await open()}/health`, {}, method)).status).toBe(405);
  });

  test("with a token, whoever bears it, by any name, and nobody else", async () => {
    const url = `${await open({}, { token: "s3cret" })}/livez`;
    const bearing = (token: string) => ({ authorization: `Bearer ${token}`, host: "any.example" });
    expect((await ask(url)).status).toBe(401);
    expect((await ask(url, bearing("s3cre"))).status).toBe(401);
    expect((await ask(url, bearing("s3cret"))).status).toBe(200);
  });

  test("beyond loopback nobody, unless a token is asked for", async () => {
    await expect(open({}, { host: "0.0.0.0" })).rejects.toMatchObject({
      code: "LISTEN_TOKEN_NEEDED",
    });
    const url = await open({}, { host: "0.0.0.0", token: "s3cret" });
    expect((await ask(`${url}/livez`)).status).toBe(401);
  });

  test("a port that is taken is named", async () => {
    const { port } = new URL(await open());
    const listener = new HealthListener(
      { host: "127.0.0.1", port: Number(port), token: undefined, intervalMs: 1, version: "" },
      {
        report: () => reportOf("healthy"),
        metrics: () => ({ text: "", contentType: "" }),
        lookAgeMs: () => 1,
      },
    );
    await expect(listener.open()).rejects.toMatchObject({ code: "LISTEN_FAILED" });
  });
});

test.each([
  ["9464", "127.0.0.1", 9464],
  [":9464", "127.0.0.1", 9464],
  ["0.0.0.0:80", "0.0.0.0", 80],
  ["[::1]:80", "::1", 80],
  ["host.example:80", "host.example", 80],
])("%s is %s, port %i", (text, host, port) => {
  expect(listenAddress(text)).toEqual({ host, port });
});

test.each(["", "x", "1:2:3", "[::1]", "127.0.0.1:99999", "[evil]:80"])(
  "%j is no address",
  (text) => {
    expect(() => listenAddress(text)).toThrow("is not an address");
  },
);

test.each([
  ["127.0.0.1", true],
  ["127.9.9.9", true],
  ["localhost", true],
  ["::1", true],
  ["[::1]", true],
  ["0.0.0.0", false],
  ["::", false],
  ["127.0.0.1.evil.example", false],
  ["192.168.1.1", false],
])("%s is loopback: %p", (host, loopback) => {
  expect(isLoopback(host)).toBe(loopback);
});
