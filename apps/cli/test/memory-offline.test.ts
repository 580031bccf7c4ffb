import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { writeFileSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { startChroma } from "@holdfast/testkit";
import { deadPort } from "./dead-port.ts";
import { Sandbox } from "./run-cli.ts";

let sandbox: Sandbox;
beforeEach(() => void (sandbox = new Sandbox()));
afterEach(() => sandbox.remove());

function configure(port: number): void {
  const text = `vector_store: {config: {host: 127.0.0.1, port: ${port}}}\n`;
  writeFileSync(join(sandbox.folder, "holdfast.yaml"), text);
}

/** Lets what listens on `target` be reached on `port` too. */
async function forward(port: number, target: number): Promise<Server> {
  const server = createServer((socket) => {
    const onward = connect(target, "127.0.0.1");
    socket.on("error", () => onward.destroy()).pipe(onward);
    onward.on("error", () => socket.destroy()).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return server;
}

test("with everything down: adds are accepted, recall is degraded, and both say so", async () => {
  configure(await deadPort());
  const added = await sandbox.run(["memory", "add", "Ada prefers tea", "--json"]);
  expect(added).toMatchObject({ status: 0, json: { ok: true, data: { durability: "queued" } } });
  expect(added.json.warnings).toEqual([expect.stringMatching(/safe on this machine.* no answer/)]);

  const found = await sandbox.run(["memory", "search", "tea", "--json"]);
  expect(found).toMatchObject({
    status: 0,
    json: { data: { degraded: true, hits: [{ text: "Ada prefers tea" }] } },
  });
  expect(found.json.warnings).toEqual([expect.stringMatching(/^degraded: answered from this/)]);

  const people = await sandbox.run(["memory", "search", "tea"]);
  expect(people).toMatchObject({ status: 0 });
  expect(people.stderr).toMatch(/^warning: degraded: .*the store has never answered here/);

  const status = await sandbox.run(["memory", "status"]);
  expect(status).toMatchObject({ status: 0, stderr: "" });
  expect(status.stdout).toMatch(/^degraded: 1 write is waiting: .*\nnext: holdfast server status/);

  const forgotten = await sandbox.run(["memory", "forget", added.json.data.id, "--yes", "--json"]);
  expect(forgotten).toMatchObject({ status: 0, json: { data: { durability: "queued" } } });
  const empty = await sandbox.run(["memory", "list", "--json"]);
  expect(empty.json.data).toEqual({ memories: [], total: 0 });
});

test("what failing commands learnt outlives them: the sixth is refused by the breaker", async () => {
  configure(await deadPort());
  for (let n = 0; n < 5; n += 1) await sandbox.run(["memory", "search", "anything"]);
  const { json } = await sandbox.run(["memory", "status", "--json"]);
  expect(json.data).toMatchObject({
    verdict: {
      status: "degraded",
      cause: expect.stringMatching(/^the breaker \(read\) is open: 5 failures/),
    },
    memory: {
      // Writes are tried all the same.
      breaker: {
        operations: {
          read: { state: "open", retryAfterMs: expect.any(Number) },
          write: { state: "closed" },
        },
      },
    },
  });
});

test("queued writes reach the store by another command, once it is there", async () => {
  const port = await deadPort();
  configure(port);
  const { json } = await sandbox.run(["memory", "add", "queued first", "--json"]);
  expect(json.data.durability).toBe("queued");
  await using chroma = await startChroma();
  const proxy = await forward(port, chroma.port);
  try {
    const retried = await sandbox.run(["memory", "outbox", "retry", "--json"]);
    expect(retried).toMatchObject({ status: 0, json: { data: { stored: 1, queued: 0 } } });
    const got = await sandbox.run(["memory", "get", json.data.id, "--json"]);
    expect(got.json.data).toMatchObject({ degraded: false, memory: { durability: "stored" } });
  } finally {
    proxy.close();
  }
});
