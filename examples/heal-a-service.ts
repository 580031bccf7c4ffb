// A service that is not Chroma: a small HTTP server with a settings file. Something spoils the file
// and kills the server. The engine looks, plans, repairs, proves, and keeps what it did.
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  ChildOrchestrator,
  httpCheck,
  type PlannedStep,
  RecoveryEngine,
  RecoveryJournal,
  type RecoveryStrategy,
  restartStrategy,
  runChecks,
} from "@holdfast/recovery";

/** The service itself: it cannot start on settings that it cannot read. */
function serve(file: string): void {
  const { port } = JSON.parse(readFileSync(file, "utf8")) as { port: number };
  createServer((_request, response) => response.end("here")).listen(port, "127.0.0.1");
}

/** Looks at the settings, and puts the good ones in place of broken ones, which are kept. */
function settingsStrategy(file: string, good: string): RecoveryStrategy {
  const problem = (): string | undefined => {
    try {
      JSON.parse(readFileSync(file, "utf8"));
      return undefined;
    } catch (error) {
      return (error as Error).name;
    }
  };
  const restore: PlannedStep = {
    action: "restore-settings",
    parameters: {},
    title: "put the last good settings in place",
    changes: ["settings.json is replaced; the broken one becomes settings.json.broken"],
    risk: "low",
    costMs: 10,
    reversal: "undo",
  };
  return {
    name: "settings",
    diagnose: async () => {
      const message = problem();
      const healthy = message === undefined;
      const findings = healthy ? [] : [{ check: "settings-file", message }];
      return { strategy: "settings", healthy, findings, steps: healthy ? [] : [restore] };
    },
    actions: [
      {
        name: restore.action,
        run: async () => {
          if (problem() === undefined) return { result: "nothing-to-do", message: "they are good" };
          renameSync(file, `${file}.broken`);
          writeFileSync(file, good);
          return { result: "insufficient", message: "restored; the service has yet to start" };
        },
        undo: async () => renameSync(`${file}.broken`, file),
      },
    ],
  };
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "heal-a-service-"));
  const file = join(folder, "settings.json");
  const good = JSON.stringify({ port: await freePort() });
  writeFileSync(file, good);

  const command = [process.execPath, ...process.execArgv, import.meta.filename, file];
  const service = new ChildOrchestrator({ command });
  const { port } = JSON.parse(good) as { port: number };
  const check = httpCheck({ name: "answers", url: `http://127.0.0.1:${port}/`, timeoutMs: 2_000 });
  const journal = RecoveryJournal.open(join(folder, "recovery.db"));
  const engine = new RecoveryEngine(
    { service: "greeter", proofTimeoutMs: 20_000 },
    {
      journal,
      strategies: [
        settingsStrategy(file, good),
        restartStrategy({ costMs: 500 }, { orchestrator: service, checks: [check] }),
      ],
      // A server that was started answers a little later.
      prove: async ({ signal }) => {
        for (;;) {
          const [result] = await runChecks([check], { signal });
          if (result?.status === "pass" || signal.aborted)
            return result ?? { status: "unknown", message: "" };
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      },
    },
  );

  writeFileSync(file, "{ spoilt");
  for (const { strategy, step } of (await engine.plan()).steps)
    console.log(`${strategy}, risk ${step.risk}: ${step.action}`);
  const { outcome, proof, incident } = await engine.recover({ trigger: "the example" });
  console.log(`${outcome}: the check says ${proof.status}`);
  for (const { planned, state } of incident?.steps ?? [])
    console.log(`  ${state}: ${planned.action}`);
  console.log(await (await fetch(`http://127.0.0.1:${port}/`)).text());

  await service.stop(new AbortController().signal);
  journal[Symbol.dispose]();
  rmSync(folder, { recursive: true });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const [settings] = process.argv.slice(2);
if (settings === undefined) await main();
else serve(settings);

// Prints:
// settings, risk low: restore-settings
// service, risk low: restart
// recovered: the check says pass
//   insufficient: restore-settings
//   repaired: restart
// here
