import type { InstallProgress } from "@holdfast/chroma";
import type { Output } from "./output.ts";

/** Tells how the fetch of a server build goes on. */
export function tellInstall(progress: InstallProgress, output: Output): void {
  const { phase, version, bytes, bytesTotal } = progress;
  const megabytes = (count: number): string => `${Math.round(count / 1_000_000)} MB`;
  const words = {
    waiting: "waiting for another process that fetches it",
    fetching: `fetching, ${megabytes(bytes)} of ${megabytes(bytesTotal)}`,
    checking: "checking that it runs here",
    done: "done",
  } as const;
  output.note(`Chroma ${version}: ${words[phase]}`);
}
