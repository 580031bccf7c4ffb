import type { ChildProcess } from "node:child_process";

/** How a process ended. */
export interface ChildEnd {
  /** Null when a signal ended it. */
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** What was in a pipe when its writer ended is read within the next turn of the event loop, or two. */
const QUIET_TURNS = 2;

/**
 * Resolves when a process that was just spawned has ended, and all that it wrote into its pipes by
 * then has been given to whoever listens to them. Unlike its event `close`, this does not wait for what
 * it left running, which may hold the pipes open; unlike `exit`, it does not come before the output.
 * @throws the spawn's error.
 */
export async function childEnd(child: ChildProcess): Promise<ChildEnd> {
  let isQuiet = false;
  const hear = (): void => void (isQuiet = false);
  for (const pipe of [child.stdout, child.stderr]) pipe?.on("data", hear);
  const end = await new Promise<ChildEnd>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
  for (let turns = 0; turns < QUIET_TURNS; turns = isQuiet ? turns + 1 : 0) {
    isQuiet = true;
    await new Promise((resolve) => setImmediate(resolve));
  }
  for (const pipe of [child.stdout, child.stderr]) pipe?.off("data", hear);
  return end;
}
