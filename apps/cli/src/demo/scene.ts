import type { Receipt } from "@holdfast/memory";
import type { Output } from "../output.ts";
import type { Parts } from "../wire.ts";
import type { Claim } from "./claims.ts";
import type { Stage } from "./stage.ts";

/** What the acts of the demo share. */
export interface Scene {
  output: Output;
  signal: AbortSignal;
  stage: Stage;
  parts: Parts;
  /** Every text that was acknowledged, by id: the demo's own book, to compare with. */
  accepted: Map<string, string>;
  claims: Claim[];
}

/** The heading of an act. */
export function act({ output }: Pick<Scene, "output">, number: number, title: string): void {
  output.say(`\n${output.paint(["bold", "cyan"], `${number}. ${title}`)}`);
}

/** A line of what happens. */
export function tell({ output }: Pick<Scene, "output">, text: string): void {
  output.say(`   ${text}`);
}

export function claim(scene: Scene, made: Claim): void {
  scene.claims.push(made);
}

export function write(scene: Scene, receipt: Receipt, text: string): void {
  scene.accepted.set(receipt.id, text);
}

/** Ends what would never be; the busiest of machines gets there before. */
const LIMIT_MS = 180_000;

/** Polls until `met`, for three minutes at most. Returns whether it was. */
export async function until(
  met: () => boolean | Promise<boolean>,
  signal: AbortSignal,
): Promise<boolean> {
  const deadline = performance.now() + LIMIT_MS;
  while (!(await met())) {
    signal.throwIfAborted();
    if (performance.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return true;
}
