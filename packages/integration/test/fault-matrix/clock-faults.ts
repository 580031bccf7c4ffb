import { setTimeout as pause } from "node:timers/promises";
import type { Fault } from "./faults.ts";

const DAY_MS = 86_400_000;
const WAITING = 60;
/** More than it takes to open the breaker. */
const FAILURES = 6;

function jump(where: string, byMs: number): Fault {
  return {
    name: `the machine's clock jumps a day ${where}`,
    red: [],
    ends: "healthy",
    setsClock: true,
    inject: (stage) => {
      stage.jump(byMs);
      return Promise.resolve(undefined);
    },
  };
}

function jumpWhileDown(where: string, byMs: number): Fault {
  return {
    name: `the server is killed, memories wait, the breaker is open, and the clock jumps a day ${where}`,
    red: ["process"],
    ends: "recovered",
    setsClock: true,
    inject: async (stage) => {
      process.kill(stage.running.pid, "SIGKILL");
      while (stage.server.running !== undefined) await pause(20);
      const items = Array.from({ length: WAITING }, (_, n) => ({ text: `waits ${n}` }));
      await stage.memory.addMany(items, { waitMs: 0 });
      for (let n = 0; n < FAILURES; n += 1) await stage.memory.drain();
      if (stage.memory.status().breaker.state !== "open") throw new Error("no breaker has opened");
      stage.jump(byMs);
      return undefined;
    },
  };
}

/** What a clock that is set does to a store, to what waits for it, and to who waits. */
export const CLOCK_FAULTS: readonly Fault[] = [
  jump("ahead", DAY_MS),
  jump("back", -DAY_MS),
  jumpWhileDown("ahead", DAY_MS),
  jumpWhileDown("back", -DAY_MS),
];
