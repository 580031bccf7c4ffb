import { once } from "node:events";
import { createServer, get, type Server } from "node:http";
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { type FaultProxy, startFaultProxy } from "@holdfast/testkit";

let server: Server;
let proxy: FaultProxy;

beforeEach(async () => {
  server = createServer((_request, response) => {
    response.end("x".repeat(10_000));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  proxy = await startFaultProxy({
    host: "127.0.0.1",
    port: (server.address() as AddressInfo).port,
  });
});

afterEach(async () => {
  await proxy.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function ask(timeoutMs?: number): Promise<number> {
  const { host, port } = proxy;
  return new Promise((resolve, reject) => {
    const call = get({ host, port, agent: false }, (response) => {
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
      });
      response.once("error", reject);
      response.once("end", () => resolve(bytes));
    });
    call.once("error", reject);
    if (timeoutMs !== undefined) call.setTimeout(timeoutMs, () => call.destroy(new Error("hung")));
  });
}

test("passes what it is not told to spoil", async () => {
  await expect(ask()).resolves.toBe(10_000);
  expect(proxy.accepted).toBe(1);
});

test("refuses with a reset", async () => {
  proxy.inject({ kind: "refuse" });
  await expect(ask()).rejects.toMatchObject({ code: "ECONNRESET" });
});

test("swallows everything, and answers again when healed", async () => {
  proxy.inject({ kind: "black-hole" });
  await expect(ask(50)).rejects.toThrow("hung");
  proxy.inject({ kind: "pass" });
  await expect(ask()).resolves.toBe(10_000);
});

test("delays answers without losing any", async () => {
  proxy.inject({ kind: "delay", delayMs: 30 });
  const began = performance.now();
  await expect(ask()).resolves.toBe(10_000);
  expect(performance.now() - began).toBeGreaterThanOrEqual(29);
});

// It came after what was sent when the delay was over.
test("what was delayed keeps its place before what is not", async () => {
  const sender = createTcpServer().unref();
  await new Promise<void>((resolve) => sender.listen(0, "127.0.0.1", resolve));
  const { port } = sender.address() as AddressInfo;
  await using own = await startFaultProxy({ host: "127.0.0.1", port });
  const client = connect(own.port, own.host);
  const [upstream] = (await once(sender, "connection")) as [Socket];
  const held = new Promise<void>((resolve) => {
    own.inject({
      kind: "delay",
      get delayMs() {
        resolve();
        return 100;
      },
    });
  });
  upstream.write("first, ");
  await held;
  own.inject({ kind: "pass" });
  upstream.end("second");
  expect(await text(client)).toBe("first, second");
  sender.close();
});

test("resets in the middle of an answer", async () => {
  proxy.inject({ kind: "reset", afterBytes: 1_000 });
  await expect(ask()).rejects.toMatchObject({ code: "ECONNRESET" });
});
