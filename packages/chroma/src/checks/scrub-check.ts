import type { HealthCheck } from "@holdfast/recovery";
import { compareTwice } from "./compare-twice.ts";
import type { MirrorPort } from "../strategies/recovery-ports.ts";

/** Reading a million vectors back takes minutes. */
const TIMEOUT_MS = 30 * 60_000;
const LISTED_MAX = 20;

/**
 * Compares every memory in the store with the mirror's, a page at a time: text, metadata and
 * vector. A vector that was zeroed on the disk raises no error anywhere; only this finds it. It
 * reads all of the store: run it once a day.
 */
export function scrubCheck(memory: Pick<MirrorPort, "status" | "compare">): HealthCheck {
  return {
    name: "scrub",
    service: "chroma",
    severity: "unhealthy",
    timeoutMs: TIMEOUT_MS,
    run: async ({ signal }) => {
      const { mirrored, ledger } = memory.status();
      if (mirrored === 0 || ledger.stored === 0) {
        return { status: "pass", message: "there is nothing to compare yet" };
      }
      const { compared, missing, different, equal } = await compareTwice(memory, signal);
      const evidence = { compared, missing: missing.length, different: different.length };
      if (equal) return { status: "pass", message: `${compared} memories compare equal`, evidence };
      const named = [...missing, ...different].slice(0, LISTED_MAX).join(", ");
      return {
        status: "fail",
        message: `of ${compared} memories ${missing.length} are missing and ${different.length} differ from the mirror (${named})`,
        evidence,
        hint: "See what would be done with: holdfast memory recover --dry-run",
      };
    },
  };
}
