import { existsSync } from "node:fs";
import type { Config, LoadedConfig } from "@holdfast/config";
import { durationMs } from "@holdfast/core";
import type {
  CaptureJournalOptions,
  CaptureResult,
  RateLimit,
  Redact,
  TriggerEvent,
} from "@holdfast/memory/capture";
import { redactorOf } from "../redaction.ts";
import { outboxBounds } from "../memory-options.ts";
import { workspaceOf } from "../workspace.ts";

/** `nowhere`: nothing is remembered here yet. `short`: too few words. `declined`: by a policy. */
export type Captured = CaptureResult | { result: "nowhere" | "short" | "declined" };

/** An event without its secrets in what had to be cut; undefined when there is nothing to capture. */
export type EventOf = (redact: Redact) => TriggerEvent | undefined;

export interface CaptureDeps {
  loaded: LoadedConfig;
  environment: NodeJS.ProcessEnv;
  /** How long to wait for another process's write, in milliseconds. */
  busyTimeoutMs: number;
  /** Told what policies have to say. */
  tell: (message: string) => void;
}

/** Whether the configuration lets anything be remembered without being asked for. */
export function triggersEnabled({ enabled, triggers }: Config): boolean {
  return enabled && triggers.enabled;
}

/**
 * Journals an event where its configuration says, redacted and under its policies. The store is not
 * asked, and nothing is created or started. Loads neither embedder nor client.
 * @throws whatever is wrong: it is the caller who must not fail.
 */
export async function captureEvent(
  eventOf: EventOf,
  { loaded, environment, busyTimeoutMs, tell }: CaptureDeps,
): Promise<Captured> {
  const { config } = loaded;
  const { CaptureJournal, memoryOfEvent, redactContent } = await import("@holdfast/memory/capture");
  const redactor = await redactorOf(config);
  const bounds = {
    textLengthMin: config.triggers.text_min,
    textLengthMax: config.triggers.text_max,
  };
  const decision = { capture: true, ttlMs: durationMs(config.triggers.keep) };
  const redact: Redact = (text) => redactor.redact(text).text;
  const event = eventOf(redact);
  const memory = event && memoryOfEvent(event, decision, bounds, redact);
  if (memory === undefined) return { result: "short" };
  using journal = CaptureJournal.open({ ...captureOptions(loaded), busyTimeoutMs });
  if (journal === undefined) return { result: "nowhere" };
  const { content } = redactContent(memory, redactor);
  const { enabled, directory } = config.policies;
  if (!enabled || !existsSync(directory)) return journal.add(content, Date.now());
  const { captureGoverned } = await import("./governed-capture.ts");
  return await captureGoverned(content, loaded, { journal, environment, tell });
}

/** Where a configuration's memories are on this machine, and how captures are bounded. */
export function captureOptions(loaded: LoadedConfig): CaptureJournalOptions {
  const { config, stateDirectory } = workspaceOf(loaded);
  return {
    stateDirectory,
    collection: config.vector_store.config.collection_name,
    outbox: outboxBounds(config),
    mergeWindowMs: durationMs(config.triggers.merge_window),
    limits: Object.fromEntries(
      Object.entries(config.triggers.limits).map(([type, limit]): [string, RateLimit] => [
        type,
        {
          ...(limit.per_minute === undefined ? {} : { perMinute: limit.per_minute }),
          ...(limit.cooldown === undefined ? {} : { cooldownMs: durationMs(limit.cooldown) }),
        },
      ]),
    ),
  };
}
