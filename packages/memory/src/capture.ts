/** For processes that note something and end: no store, no embedder, and little to load. */
export { redactContent } from "./redaction/redacted-memory.ts";
export {
  createRedactor,
  type NamedPattern,
  type Redactor,
  type RedactorOptions,
} from "./redaction/redactor.ts";
export {
  CaptureJournal,
  type CaptureJournalOptions,
  CAPTURE_DEFAULTS,
  type CaptureResult,
  type Recalled,
} from "./triggers/capture-journal.ts";
export type { RateLimit } from "./triggers/rate-limit.ts";
export { cut, type Redact, redactedCut } from "./triggers/cut.ts";
export {
  memoryOfEvent,
  type RaisedEvent,
  TRIGGER_BOUNDS,
  type TriggerBounds,
  type TriggerDecider,
  type TriggerDecision,
  type TriggerEvent,
} from "./triggers/trigger-event.ts";
