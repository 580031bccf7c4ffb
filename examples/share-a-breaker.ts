// Short-lived processes that share a breaker: what one has learned, the next one knows. Run alone,
// this file starts itself five times as a command that fails, then once more.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CircuitBreaker, CircuitOpenError, SqliteBreakerStateStore } from "@holdfast/breaker";

async function command(file: string): Promise<void> {
  const store = new SqliteBreakerStateStore(file);
  const breaker = new CircuitBreaker({ name: "api", failureThreshold: 5 }, { store });
  try {
    await breaker.execute(() => Promise.reject(new Error("the service is down")));
  } catch (error) {
    const refused = error instanceof CircuitOpenError;
    console.log(refused ? "refused without a call" : (error as Error).message);
  } finally {
    breaker.close();
    store.close();
  }
}

function runSixTimes(): void {
  const folder = mkdtempSync(join(tmpdir(), "share-a-breaker-"));
  const again = [...process.execArgv, import.meta.filename, join(folder, "breaker.db")];
  for (let run = 1; run <= 6; run++) {
    const said = execFileSync(process.execPath, again, { encoding: "utf8" });
    console.log(`process ${run}: ${said.trim()}`);
  }
  rmSync(folder, { recursive: true });
}

const [file] = process.argv.slice(2);
if (file === undefined) runSixTimes();
else await command(file);

// Prints:
// process 1: the service is down
// process 2: the service is down
// process 3: the service is down
// process 4: the service is down
// process 5: the service is down
// process 6: refused without a call
