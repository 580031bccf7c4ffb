import { loadConfig, type LoadedConfig, type LoadOptions } from "@holdfast/config";
import { durationMs } from "@holdfast/core";
import type { Recalled } from "@holdfast/memory/capture";
import { ARCHIVED_TAG } from "../selection.ts";
import { captureEvent, captureOptions, triggersEnabled } from "../triggers/capture-event.ts";
import { OWN_TAG } from "../triggers/command-trigger.ts";
import { eventOfHook, projectOf } from "./hook-event.ts";
import { type HookInput, parseHookInput } from "./hook-input.ts";
import { contextOutput, isRecalling } from "./hook-recall.ts";

export interface HookDeps {
  loadOptions: LoadOptions;
  environment: NodeJS.ProcessEnv;
  /** Milliseconds since the process began. */
  elapsedMs: () => number;
  /** Writes what the agent is told. */
  answer: (text: string) => void;
  /** Told what went wrong, or what policies have to say. */
  tell: (message: string) => void;
}

/** Many agents' hooks write at once; each waits for its turn rather than lose what it has. */
const BUSY_TIMEOUT_MS = 30_000;
/** What may not hold the agent up: an answer, in which another process's write is waited for. */
const RECALL_BUSY_TIMEOUT_MS = 20;

/** Recalls, answers, then captures. @throws whatever is wrong: it is the caller who stays silent. */
export async function handleHook(text: string, deps: HookDeps): Promise<void> {
  const input = parseHookInput(text);
  if (input === undefined) return;
  const folder =
    input.cwd?.startsWith("/") === true ? input.cwd : deps.loadOptions.workingDirectory;
  const loaded = loadConfig({ ...deps.loadOptions, workingDirectory: folder });
  if (!triggersEnabled(loaded.config)) return;
  if (isRecalling(input) && deps.elapsedMs() < durationMs(loaded.config.triggers.hook_budget))
    await answerFrom(input, loaded, deps);
  const { environment, tell } = deps;
  const project = projectOf(environment["CLAUDE_PROJECT_DIR"] ?? folder);
  await captureEvent((redact) => eventOfHook(input, project, redact), {
    loaded,
    environment,
    busyTimeoutMs: BUSY_TIMEOUT_MS,
    tell,
  });
}

/** A recall that fails must not cost the capture. */
async function answerFrom(input: HookInput, loaded: LoadedConfig, deps: HookDeps): Promise<void> {
  try {
    const { recall: limit } = loaded.config.triggers;
    if (limit === 0) return;
    const { CaptureJournal } = await import("@holdfast/memory/capture");
    using journal = CaptureJournal.open({
      ...captureOptions(loaded),
      busyTimeoutMs: RECALL_BUSY_TIMEOUT_MS,
    });
    if (journal === undefined) return;
    const exceptTags = [OWN_TAG, ARCHIVED_TAG];
    const now = Date.now();
    // What was asked before is what resembles a question most, and answers it least.
    const found =
      input.prompt === undefined
        ? journal.recent({ exceptTags }, limit * 4, now)
        : journal.recall(input.prompt, { exceptTags: [...exceptTags, "prompt"] }, limit * 4, now);
    const output = contextOutput(input, elsewhere(found, input).slice(0, limit));
    if (output !== undefined) deps.answer(`${output}\n`);
  } catch (error) {
    deps.tell(`not recalled: ${(error as Error).message}`);
  }
}

/** What was said in this very session the agent still has before it. */
function elsewhere(memories: readonly Recalled[], input: HookInput): Recalled[] {
  return memories.filter(
    ({ scope, metadata }) =>
      (scope.session === undefined || scope.session !== input.session_id) &&
      !["SessionStart", "SessionEnd"].includes(String(metadata["event"])),
  );
}
