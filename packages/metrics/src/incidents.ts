import { EVENT_KINDS } from "./lifecycle.ts";
import type { MetricsEvent } from "./series.ts";

export interface IncidentSummary {
  /** Opened within the window. */
  opened: number;
  /** Closed within the window. */
  closed: number;
  /** Open at the window's end, oldest first. */
  open: { id: string; sinceMs: number }[];
  /** Mean time from opening to closing, in milliseconds, of those closed in the window. */
  mttrMs: number | null;
  /** Time within the window during which at least one incident was open. */
  downtimeMs: number;
  /** Share of the window without an incident. Null when nothing was observed in the window. */
  availability: number | null;
}

interface Incident {
  id: string;
  fromMs: number;
  toMs: number | undefined;
}

/**
 * Pairs openings with closings by incident id. `events` reach back before the window, so that an
 * incident that began earlier counts for the part that lies within it.
 */
export function incidentSummary(
  events: readonly MetricsEvent[],
  fromMs: number,
  toMs: number,
  observed: boolean,
): IncidentSummary {
  const incidents = pair(events.filter(({ atMs }) => atMs < toMs));
  const opened = incidents.filter((incident) => incident.fromMs >= fromMs);
  const closed = incidents.filter(({ toMs: end }) => end !== undefined && end >= fromMs);
  const repairMs = closed.map((incident) => (incident.toMs ?? toMs) - incident.fromMs);
  const downtimeMs = covered(incidents, fromMs, toMs);
  const known = observed || downtimeMs > 0;
  return {
    opened: opened.length,
    closed: closed.length,
    open: incidents
      .filter((incident) => incident.toMs === undefined)
      .map(({ id, fromMs: sinceMs }) => ({ id, sinceMs })),
    mttrMs:
      repairMs.length === 0 ? null : repairMs.reduce((sum, ms) => sum + ms, 0) / repairMs.length,
    downtimeMs,
    availability: known ? 1 - downtimeMs / (toMs - fromMs) : null,
  };
}

function pair(events: readonly MetricsEvent[]): Incident[] {
  const all: Incident[] = [];
  const open = new Map<string, Incident>();
  for (const { kind, subject: id, atMs } of events) {
    if (kind === EVENT_KINDS.incidentOpened && !open.has(id)) {
      const incident: Incident = { id, fromMs: atMs, toMs: undefined };
      open.set(id, incident);
      all.push(incident);
    } else if (kind === EVENT_KINDS.incidentClosed) {
      const incident = open.get(id);
      if (incident !== undefined) incident.toMs = atMs;
      open.delete(id);
    }
  }
  return all;
}

/** Length of the union of the incidents within the window; those that overlap count once. */
function covered(incidents: readonly Incident[], fromMs: number, toMs: number): number {
  let total = 0;
  let reached = fromMs;
  for (const incident of incidents) {
    const start = Math.max(reached, incident.fromMs);
    const end = Math.min(toMs, incident.toMs ?? toMs);
    if (end <= start) continue;
    total += end - start;
    reached = end;
  }
  return total;
}
