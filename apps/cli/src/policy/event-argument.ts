import { text } from "node:stream/consumers";
import { systemClock } from "@holdfast/core";
import { type PolicyEvent, readEvent } from "@holdfast/policy";
import { namedText } from "../named-file.ts";

/** An event from a file, from stdin for `-`, or written out as JSON. @throws HoldfastError */
export async function eventFrom(argument: string): Promise<PolicyEvent> {
  const now = systemClock.now();
  if (argument.trimStart().startsWith("{")) return readEvent(argument, { file: "event", now });
  if (argument === "-") return readEvent(await text(process.stdin), { file: "stdin", now });
  return eventFromFile(argument, `Name a file, or write the event itself: '{"text": "…"}'`);
}

/** @throws HoldfastError `POLICY_EVENT_INVALID`, also for a file that cannot be read. */
export function eventFromFile(
  file: string,
  hint: string = `Name a file that holds an event, such as {"text": "…"}`,
): PolicyEvent {
  const written = namedText(file, { code: "POLICY_EVENT_INVALID", hint });
  return readEvent(written, { file, now: systemClock.now() });
}
