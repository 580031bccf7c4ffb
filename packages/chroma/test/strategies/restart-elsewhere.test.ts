import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { ChromaStore, chromaProof, chromaStrategies } from "@holdfast/chroma";
import { CommandOrchestrator, RecoveryEngine, RecoveryJournal } from "@holdfast/recovery";

let scratch: string;
beforeEach(() => void (scratch = mkdtempSync(join(tmpdir(), "holdfast-elsewhere-"))));
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

async function deadPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

// That nothing answers hid it, and was taken for final: the restart was never tried again.
test("why the command that restarts a server elsewhere has failed is told, and may be tried again", async () => {
  const place = { host: "127.0.0.1", port: await deadPort() };
  const store = new ChromaStore({ mode: "server", ...place });
  const deps = {
    store,
    memory: {
      status: () => ({
        collection: "notes",
        mirrored: 0,
        ledger: { stored: 0, dead: 0 },
        outbox: { records: 0 },
      }),
      unmirrored: () => [],
      rebuild: () => Promise.resolve({ rebuilt: 0, compared: 0 }),
      compare: () => Promise.resolve({ compared: 0, missing: [], different: [], equal: true }),
    },
    target: () => Promise.resolve({ ...place, ssl: false }),
    orchestrator: new CommandOrchestrator({
      restart: ["sh", "-c", "echo permission denied >&2; exit 4"],
    }),
    isOwnCollection: () => false,
  };
  using journal = RecoveryJournal.open(join(scratch, "recovery.db"));
  const engine = new RecoveryEngine(
    { service: "store" },
    { journal, strategies: chromaStrategies(deps), prove: chromaProof(deps) },
  );
  const report = await engine.recover({ trigger: "test" });
  expect(report).toMatchObject({
    outcome: "failed",
    message: expect.stringContaining("permission denied"),
  });
  await store.close();
});
