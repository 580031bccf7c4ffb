export type Severity = "info" | "warning" | "critical";

/** What a channel is given to deliver. It is plain data: it can be written as JSON as it is. */
export interface Notification {
  /** Unique, and the same at every attempt to deliver it: receivers drop repeats by it. */
  readonly id: string;
  /** Wall-clock milliseconds since the epoch. */
  readonly at: number;
  /** What it is about; repeats of one subject are grouped. As in `chroma/unreachable`. */
  readonly subject: string;
  readonly state: "firing" | "resolved";
  readonly severity: Severity;
  /** One line. */
  readonly title: string;
  readonly message?: string;
  /** How many times it has happened since it was last told; at least 1. */
  readonly count: number;
  /** When the trouble began, milliseconds since the epoch; differs from `at` in later notices. */
  readonly since: number;
  readonly data?: Readonly<Record<string, unknown>>;
}

/** A notification in one line for people; control characters are shown, never obeyed. */
export function notificationLine(notification: Notification): string {
  const { at, state, severity, title, message, count } = notification;
  const label = state === "resolved" ? "RESOLVED" : severity.toUpperCase();
  const times = count > 1 ? ` (${count} times)` : "";
  const more = message === undefined ? "" : `: ${message}`;
  return printable(`${new Date(at).toISOString()} ${label} ${title}${times}${more}`);
}

/**
 * A notification as JSON of at most `bytesMax` bytes. One that is larger loses its data first, then
 * the end of its message, then of its title, and says so by `truncated`.
 */
export function notificationJson(notification: Notification, bytesMax: number): string {
  const whole = JSON.stringify(notification);
  if (Buffer.byteLength(whole) <= bytesMax) return whole;
  const { data: _, message = "", ...rest } = notification;
  const title = rest.title.slice(0, roomBeside({ ...rest, title: "" }, bytesMax));
  const room = roomBeside(rest, bytesMax);
  const cut = room === 0 ? { title, message: "" } : { message: message.slice(0, room) };
  return JSON.stringify({ ...rest, ...cut, truncated: true });
}

/** How many characters may stand beside the others, whichever they are. */
function roomBeside(others: object, bytesMax: number): number {
  // JSON writes a character in at most six bytes; 64 more hold the two names and their marks.
  const bytes = bytesMax - Buffer.byteLength(JSON.stringify(others)) - 64;
  return Math.max(0, Math.floor(bytes / 6));
}

function printable(text: string): string {
  return text.replaceAll(
    /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
