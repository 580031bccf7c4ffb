import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { expect, test } from "@jest/globals";
import { connectionChecks } from "@holdfast/chroma";
import { runChecks } from "@holdfast/recovery";
import { InMemoryVectorStore } from "@holdfast/store/testing";

// It said "fetch failed", which is all that fetch says.
test("why nothing answers a heartbeat is told, where the port takes connections", async () => {
  const server = createServer((socket) => void socket.destroy());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const target = () => Promise.resolve({ host: "127.0.0.1", port, ssl: false });
  const checks = connectionChecks(target, new InMemoryVectorStore());
  const results = await runChecks(checks.filter(({ name }) => name === "heartbeat"));
  server.close();
  expect(results).toMatchObject([
    {
      status: "fail",
      message: expect.stringMatching(/HTTP has no answer \((UND_ERR_SOCKET|ECONNRESET)\)/),
      hint: expect.stringContaining("See whether Chroma runs there"),
    },
  ]);
});
