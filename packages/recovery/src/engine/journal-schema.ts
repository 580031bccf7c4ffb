import { LEASE_MIGRATION } from "@holdfast/sqlite";

/** Append only; never edit one. */
export const MIGRATIONS: readonly string[] = [
  LEASE_MIGRATION,
  `CREATE TABLE incident (
     id TEXT PRIMARY KEY,
     service TEXT NOT NULL,
     cause TEXT NOT NULL,
     state TEXT NOT NULL,
     since INTEGER NOT NULL,
     opened_at INTEGER NOT NULL,
     closed_at INTEGER,
     message TEXT NOT NULL DEFAULT '',
     hint TEXT,
     resumed INTEGER NOT NULL DEFAULT 0,
     diagnoses TEXT NOT NULL DEFAULT '[]',
     proof TEXT
   ) STRICT;
   CREATE INDEX incident_by_time ON incident (service, opened_at);
   CREATE TABLE step (
     incident TEXT NOT NULL REFERENCES incident (id) ON DELETE CASCADE,
     ordinal INTEGER NOT NULL,
     strategy TEXT NOT NULL,
     planned TEXT NOT NULL,
     state TEXT NOT NULL DEFAULT 'planned',
     attempts INTEGER NOT NULL DEFAULT 0,
     remembered TEXT,
     message TEXT NOT NULL DEFAULT '',
     began_at INTEGER,
     ended_at INTEGER,
     PRIMARY KEY (incident, ordinal)
   ) STRICT;
   CREATE TABLE note (
     incident TEXT NOT NULL REFERENCES incident (id) ON DELETE CASCADE,
     step INTEGER NOT NULL,
     at INTEGER NOT NULL,
     message TEXT NOT NULL
   ) STRICT;
   CREATE INDEX note_by_incident ON note (incident);`,
];

export interface IncidentRow {
  id: string;
  service: string;
  cause: string;
  state: string;
  since: number;
  opened_at: number;
  closed_at: number | null;
  message: string;
  hint: string | null;
  resumed: number;
  diagnoses: string;
  proof: string | null;
}

export interface StepRow {
  ordinal: number;
  strategy: string;
  planned: string;
  state: string;
  attempts: number;
  remembered: string | null;
  message: string;
  began_at: number | null;
  ended_at: number | null;
}

export interface NoteRow {
  at: number;
  step: number;
  message: string;
}
