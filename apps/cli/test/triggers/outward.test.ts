import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { join } from "node:path";
import { Sandbox } from "../run-cli.ts";

let sandbox: Sandbox;
let port: number;
/** Requests that wait for their answer, the oldest first. */
const held: { body: unknown; response: ServerResponse }[] = [];
async function hold(request: IncomingMessage, response: ServerResponse): Promise<void> {
  held.push({ body: JSON.parse(await text(request)), response });
  server.emit("held");
}
const server = createServer((request, response) => void hold(request, response));

beforeEach(async () => {
  sandbox = new Sandbox();
  delete sandbox.environment["HOLDFAST_TRIGGERS_ENABLED"];
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  ({ port } = server.address() as { port: number });
  const store = "vector_store: {config: {host: 127.0.0.1, port: 9}}\noutbox: {wait: 0}";
  const policies = "policies: {webhooks: {allow_addresses: [127.0.0.1]}}";
  writeFileSync(join(sandbox.folder, "holdfast.yaml"), `${store}\n${policies}\n`);
  await sandbox.run(["memory", "add", "first", "--no-trigger"]);
  mkdirSync(join(sandbox.folder, "policies"));
});
afterEach(() => {
  for (const { response } of held.splice(0)) response.end();
  server.close();
  sandbox.remove();
});

function rule(...actions: object[]): void {
  const conditions = [{ type: "in_list", field: "type", values: ["command", "agent"] }];
  const rules = { tell: { conditions, actions } };
  writeFileSync(join(sandbox.folder, "policies/tell.yaml"), JSON.stringify({ rules }));
}

async function nextHeld(): Promise<unknown> {
  if (held.length === 0) await once(server, "held");
  return held[0]?.body;
}

test.each([
  ["a command", ["memory", "get", "none"], "", 1, "holdfast memory get none failed"],
  ["a program", ["run", "--", "sh", "-c", "exit 3"], "", 3, "ended with exit code 3"],
  [
    "a hook",
    ["hook", "claude-code"],
    '{"hook_event_name":"Stop","last_assistant_message":"All done"}',
    0,
    "The agent answered: All done",
  ],
])(
  "%s ends although a webhook about it is not answered",
  async (_what, args, input, status, said) => {
    const parameters = { url: `http://127.0.0.1:${port}/` };
    rule({ type: "execute_webhook", parameters });
    // It is answered only after this has returned.
    expect(await sandbox.run(args, { input })).toMatchObject({ status });
    expect(await nextHeld()).toMatchObject({
      policy: "tell",
      event: { text: expect.stringContaining(said) },
    });
  },
);

test("what a policy keeps out is told of, too", async () => {
  rule(
    { type: "execute_webhook", parameters: { url: `http://127.0.0.1:${port}/` } },
    { type: "abort" },
  );
  await sandbox.run(["memory", "get", "none"]);
  expect(await nextHeld()).toMatchObject({ policy: "tell" });
  const { json } = await sandbox.run(["memory", "list", "--tag", "command", "--json"]);
  expect(json.data.total).toBe(0);
});
