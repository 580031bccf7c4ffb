import { formatDuration } from "@holdfast/core";
import type { BackupProgress } from "@holdfast/memory";
import type { Output } from "../output.ts";

const TTY_EVERY_MS = 100;
const LINE_EVERY_MS = 3_000;

const WORDS: Readonly<Record<BackupProgress["stage"], string>> = {
  memories: "memories read",
  others: "records of the store looked at",
  verify: "records read back",
  stage: "memories prepared",
  embed: "vectors computed",
  store: "memories written to the store",
  compare: "memories compared",
};

/**
 * Tells how far long work is, its rate, and the time left: one line that is overwritten on a
 * terminal, else a line every few seconds.
 */
export function progressTeller(
  output: Pick<Output, "json" | "note">,
  now: () => number = () => performance.now(),
): {
  onProgress: (progress: BackupProgress) => void;
  done: () => void;
} {
  const isTerminal = process.stderr.isTTY && !output.json;
  const everyMs = isTerminal ? TTY_EVERY_MS : LINE_EVERY_MS;
  // Two may go on side by side, each at its own rate.
  const begun = new Map<BackupProgress["stage"], { at: number; done: number }>();
  let told = now();
  let isOpen = false;
  return {
    onProgress: (progress) => {
      const at = now();
      const first = begun.get(progress.stage) ?? { at, done: progress.done };
      begun.set(progress.stage, first);
      if (at - told < everyMs) return;
      told = at;
      const line = describe(progress, progress.done - first.done, at - first.at);
      if (isTerminal) output.note(`\u001b[1A\u001b[2K${line}`.slice(isOpen ? 0 : 8));
      else output.note(line);
      isOpen = true;
    },
    done: () => {
      if (isTerminal && isOpen) output.note("\u001b[1A\u001b[2K\u001b[1A");
    },
  };
}

function describe({ stage, done, total }: BackupProgress, doneNow: number, tookMs: number): string {
  const rate = doneNow / Math.max(tookMs / 1_000, 0.001);
  const parts = [
    total === undefined ? `${done} ${WORDS[stage]}` : `${done} of ${total} ${WORDS[stage]}`,
  ];
  if (tookMs > 200 && rate > 0) {
    parts.push(`${Math.round(rate)} a second`);
    if (total !== undefined && done < total)
      parts.push(`${formatDuration(((total - done) / rate) * 1_000)} left`);
  }
  return parts.join(", ");
}
