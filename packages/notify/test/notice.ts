import type { Notification } from "@holdfast/notify";

export function notice(changes: Partial<Notification> = {}): Notification {
  return {
    id: "n-1",
    at: Date.UTC(2026, 0, 1),
    subject: "chroma/unreachable",
    state: "firing",
    severity: "critical",
    title: "Chroma is away",
    count: 1,
    since: Date.UTC(2026, 0, 1),
    ...changes,
  };
}
