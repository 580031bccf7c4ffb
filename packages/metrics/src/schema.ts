/**
 * One table of buckets for every kind and resolution; resolution 0 holds the totals since the file
 * began, which roll-up and retention never touch. A later format appends here.
 */
export const MIGRATIONS: readonly string[] = [
  `CREATE TABLE series (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    labels TEXT NOT NULL,
    UNIQUE (kind, name, labels)
  ) STRICT;
  CREATE TABLE bucket (
    resolution_ms INTEGER NOT NULL,
    start_ms INTEGER NOT NULL,
    series_id INTEGER NOT NULL REFERENCES series (id),
    count REAL NOT NULL,
    sum REAL NOT NULL,
    min REAL NOT NULL,
    max REAL NOT NULL,
    last REAL,
    last_at_ms INTEGER,
    histogram BLOB,
    PRIMARY KEY (resolution_ms, start_ms, series_id)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE event (
    id INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    data TEXT NOT NULL
  ) STRICT;
  CREATE INDEX event_by_kind ON event (kind, at_ms);
  CREATE TABLE meta (name TEXT PRIMARY KEY, value REAL NOT NULL) STRICT`,
];

/*
 * A gauge's latest value is the newest by its time, unless the one on file claims to come from
 * the future: a clock that jumped must not freeze the gauge.
 */
const MERGE = `ON CONFLICT (resolution_ms, start_ms, series_id) DO UPDATE SET
    count = count + excluded.count,
    sum = sum + excluded.sum,
    min = min(min, excluded.min),
    max = max(max, excluded.max),
    last = iif(last IS NULL OR excluded.last_at_ms >= last_at_ms OR last_at_ms > :now,
      excluded.last, last),
    last_at_ms = iif(last IS NULL OR excluded.last_at_ms >= last_at_ms OR last_at_ms > :now,
      excluded.last_at_ms, last_at_ms),
    histogram = iif(histogram IS NULL, NULL, merge_histograms(histogram, excluded.histogram))`;

const COLUMNS = "series_id, count, sum, min, max, last, last_at_ms, histogram";

export const UPSERT_BUCKET: string = `INSERT INTO bucket (resolution_ms, start_ms, ${COLUMNS})
  VALUES (:resolution, :start, :series, :count, :sum, :min, :max, :last, :lastAt, :histogram)
  ${MERGE}`;

const OLDEST = `SELECT start_ms, series_id FROM bucket
  WHERE resolution_ms = :resolution AND start_ms < :before
  ORDER BY start_ms, series_id LIMIT :limit`;

/** Merges the oldest buckets of one resolution into a coarser one. */
export const ROLL_UP: string = `INSERT INTO bucket (resolution_ms, start_ms, ${COLUMNS})
  SELECT :coarser, start_ms - start_ms % :coarser, ${COLUMNS} FROM bucket
  WHERE resolution_ms = :resolution AND (start_ms, series_id) IN (${OLDEST})
  ${MERGE}`;

export const DELETE_OLDEST: string = `DELETE FROM bucket
  WHERE resolution_ms = :resolution AND (start_ms, series_id) IN (${OLDEST})`;
