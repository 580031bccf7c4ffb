import { existsSync, renameSync } from "node:fs";
import type { Clock } from "@holdfast/core";
import type { Json } from "@holdfast/recovery";
import { quarantine } from "../server/quarantine.ts";
import type { ServerControl } from "./recovery-ports.ts";

/**
 * Puts a directory that was moved aside back in its place; what a failed repair has put there goes
 * aside in turn. Idempotent. No server runs afterwards: the directory is as damaged as it was.
 */
export async function putBack(
  server: ServerControl,
  aside: Json | undefined,
  reason: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  if (typeof aside !== "string" || !existsSync(aside)) return;
  signal.throwIfAborted();
  // Not only what was started here: a keeper that was killed at the repair has left its server.
  await server.clear();
  if (existsSync(server.dataDirectory)) quarantine(server.dataDirectory, { reason }, clock);
  renameSync(aside, server.dataDirectory);
}
