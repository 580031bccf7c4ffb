import { LEASE_MIGRATION } from "@holdfast/sqlite";

/**
 * One file a data directory: what was accepted (`entry`), what is remembered (`memory`, `vector`,
 * `memory_text`, `tag`), what was forgotten (`tombstone`, `forgotten`), which writes ended without
 * an answer (`unsettled`), and what backups and restores need to know. Append only: never edit a
 * migration that was released.
 */
export const MIGRATIONS: readonly string[] = [
  LEASE_MIGRATION,
  `
  CREATE TABLE collection (
    collection INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    -- Names this file as a writer among others that fill the same collection.
    writer TEXT NOT NULL,
    embedder TEXT,
    -- Changes when the collection in the store is replaced: handles to the old one are void.
    generation INTEGER NOT NULL DEFAULT 0,
    -- The ledger. What is queued or dead is counted from the entries, so that the sum is a proof.
    accepted INTEGER NOT NULL DEFAULT 0,
    stored INTEGER NOT NULL DEFAULT 0,
    discarded INTEGER NOT NULL DEFAULT 0,
    refused INTEGER NOT NULL DEFAULT 0,
    -- Running totals for the bounds.
    queued_records INTEGER NOT NULL DEFAULT 0,
    queued_bytes INTEGER NOT NULL DEFAULT 0,
    kept_records INTEGER NOT NULL DEFAULT 0,
    kept_bytes INTEGER NOT NULL DEFAULT 0,
    -- The last attempt to apply.
    attempts INTEGER NOT NULL DEFAULT 0,
    next_attempt_at INTEGER,
    last_error TEXT,
    answered_at INTEGER,
    -- 1 after a salvage: what the store holds of ours and the mirror lacks is to be taken back.
    adopt INTEGER NOT NULL DEFAULT 0
  ) STRICT;

  -- What was done when this file was found damaged, and the ids that could not be saved.
  CREATE TABLE salvaged (
    at INTEGER NOT NULL,
    file TEXT NOT NULL,
    lost TEXT NOT NULL
  ) STRICT;

  CREATE TABLE entry (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    collection INTEGER NOT NULL,
    id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    operation TEXT NOT NULL CHECK (operation IN ('put', 'forget')),
    state TEXT NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'stored', 'dead')),
    accepted_at INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    -- What was put, for replay to a point in time; null once the id is forgotten.
    payload TEXT,
    reason TEXT
  ) STRICT;
  CREATE INDEX entry_by_id ON entry (collection, id, revision);
  CREATE INDEX entry_queued ON entry (collection, seq) WHERE state = 'queued';
  CREATE INDEX entry_stored ON entry (collection, seq) WHERE state = 'stored';
  CREATE INDEX entry_dead ON entry (collection, seq) WHERE state = 'dead';

  CREATE TABLE memory (
    -- Never reused, so that a number names one memory even after it was forgotten.
    memory INTEGER PRIMARY KEY AUTOINCREMENT,
    collection INTEGER NOT NULL,
    id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    text TEXT NOT NULL,
    metadata TEXT NOT NULL,
    scope_user TEXT,
    scope_agent TEXT,
    scope_session TEXT,
    scope_project TEXT,
    tags TEXT NOT NULL,
    checksum TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    expires_at INTEGER,
    -- The newest revision that the store is known to hold; 0 for none.
    applied_revision INTEGER NOT NULL DEFAULT 0,
    -- Metadata keys that the store may hold for this id: upserts merge there.
    sent_keys TEXT NOT NULL DEFAULT '[]',
    UNIQUE (collection, id)
  ) STRICT;
  CREATE INDEX memory_newest ON memory (collection, created_at, memory);
  CREATE INDEX memory_expiring ON memory (collection, expires_at) WHERE expires_at IS NOT NULL;

  CREATE TABLE tag (
    tag TEXT NOT NULL,
    memory INTEGER NOT NULL,
    PRIMARY KEY (tag, memory)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX tag_by_memory ON tag (memory);

  -- Apart, so that reading texts does not page vectors in. Little-endian float32.
  CREATE TABLE vector (
    memory INTEGER PRIMARY KEY,
    vector BLOB NOT NULL
  ) STRICT;

  CREATE VIRTUAL TABLE memory_text USING fts5 (
    text, content = 'memory', content_rowid = 'memory', tokenize = 'porter unicode61 remove_diacritics 2'
  );
  INSERT INTO memory_text (memory_text, rank) VALUES ('secure-delete', 1);

  CREATE TABLE tombstone (
    collection INTEGER NOT NULL,
    id_hash BLOB NOT NULL,
    revision INTEGER NOT NULL,
    forgotten_at INTEGER NOT NULL,
    sent_keys TEXT NOT NULL,
    PRIMARY KEY (collection, id_hash)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE unsettled (
    collection INTEGER NOT NULL,
    id TEXT NOT NULL,
    -- The lease under which it was sent; '' once its sender has given it up.
    token TEXT NOT NULL,
    holder TEXT NOT NULL,
    since INTEGER NOT NULL,
    checks INTEGER NOT NULL DEFAULT 0,
    next_check_at INTEGER NOT NULL,
    -- The database's run in which it was last read back.
    incarnation TEXT,
    PRIMARY KEY (collection, id, token)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- Which memories changed, each once, in the order of their last change: for incremental backups.
  CREATE TABLE change (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    collection INTEGER NOT NULL,
    id TEXT NOT NULL,
    UNIQUE (collection, id)
  ) STRICT;
  CREATE TRIGGER memory_added AFTER INSERT ON memory WHEN NEW.collection > 0 BEGIN
    DELETE FROM change WHERE collection = NEW.collection AND id = NEW.id;
    INSERT INTO change (collection, id) VALUES (NEW.collection, NEW.id);
  END;
  CREATE TRIGGER memory_changed AFTER UPDATE OF revision, checksum ON memory
  WHEN NEW.collection > 0 BEGIN
    DELETE FROM change WHERE collection = NEW.collection AND id = NEW.id;
    INSERT INTO change (collection, id) VALUES (NEW.collection, NEW.id);
  END;
  CREATE TRIGGER memory_removed AFTER DELETE ON memory WHEN OLD.collection > 0 BEGIN
    DELETE FROM change WHERE collection = OLD.collection AND id = OLD.id;
    INSERT INTO change (collection, id) VALUES (OLD.collection, OLD.id);
  END;
  CREATE TRIGGER vector_added AFTER INSERT ON vector BEGIN
    DELETE FROM change WHERE (collection, id) =
      (SELECT collection, id FROM memory WHERE memory = NEW.memory);
    INSERT INTO change (collection, id)
      SELECT collection, id FROM memory WHERE memory = NEW.memory AND collection > 0;
  END;

  -- Stretches of a collection's history that no restore and no salvage breaks: only within one do
  -- its sequence numbers say what came after what.
  CREATE TABLE lineage (
    lineage TEXT PRIMARY KEY,
    collection INTEGER NOT NULL,
    from_seq INTEGER NOT NULL,
    at INTEGER NOT NULL
  ) STRICT;

  -- Up to which number writes were dropped: a replay cannot begin before it.
  CREATE TABLE pruned (collection INTEGER PRIMARY KEY, seq INTEGER NOT NULL) STRICT;

  -- Forgotten ids for good, also those that were used again, and those that a restored backup
  -- brought; the salt is the number under which the id was hashed.
  CREATE TABLE forgotten (
    collection INTEGER NOT NULL,
    salt INTEGER NOT NULL,
    id_hash BLOB NOT NULL,
    revision INTEGER NOT NULL,
    forgotten_at INTEGER NOT NULL,
    UNIQUE (collection, salt, id_hash)
  ) STRICT;

  -- A restore's progress ('staged'), its unfinished swap, and the state it replaced ('previous').
  CREATE TABLE restore_state (
    collection INTEGER NOT NULL,
    part TEXT NOT NULL CHECK (part IN ('staged', 'swap', 'previous')),
    detail TEXT NOT NULL,
    PRIMARY KEY (collection, part)
  ) STRICT;

  -- Backups that were verified after they were written.
  CREATE TABLE backup (
    id TEXT PRIMARY KEY,
    collection INTEGER NOT NULL,
    path TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    memories INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    partial TEXT,
    verified_at INTEGER NOT NULL,
    drilled_at INTEGER,
    drill_ms INTEGER
  ) STRICT;
  `,
  `
  -- Records of other programs that a sync has seen stand in "memory" under a number of their own;
  -- this is what "memory" cannot say of them.
  CREATE TABLE other (
    memory INTEGER PRIMARY KEY,
    -- 1 for a record without text, which is not one with an empty one.
    without_document INTEGER NOT NULL,
    -- Whole, as the store gave it.
    metadata TEXT NOT NULL,
    -- The sync that saw it last.
    seen INTEGER NOT NULL,
    -- When a sync found it gone from the store.
    vanished_at INTEGER
  ) STRICT;
  CREATE TRIGGER other_removed AFTER DELETE ON memory BEGIN
    DELETE FROM other WHERE memory = OLD.memory;
  END;

  -- The last sync; without done_at it was cut off, or is under way.
  CREATE TABLE sync (
    collection INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    begun_at INTEGER NOT NULL,
    done_at INTEGER,
    -- What it has counted so far.
    counts TEXT NOT NULL
  ) STRICT;
  `,
  `
  -- What the collection in the store was made with, as it was last seen: JSON.
  ALTER TABLE collection ADD COLUMN form TEXT;
  `,
  `
  -- The breaker's circuit that refused the last attempt, '' for the one of all; null when none did.
  ALTER TABLE collection ADD COLUMN refused_by TEXT;
  `,
];
