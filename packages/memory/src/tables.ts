import { type Database, Lease } from "@holdfast/sqlite";
import { Mirror } from "./mirror.ts";
import { Outbox } from "./outbox.ts";
import { Unsettled } from "./unsettled.ts";

/** Everything one connection can do to the file. */
export class Tables {
  readonly db: Database;
  readonly mirror: Mirror;
  readonly outbox: Outbox;
  readonly unsettled: Unsettled;
  readonly lease: Lease;

  constructor(db: Database, collection: number, writer: string) {
    this.db = db;
    this.mirror = new Mirror(db, collection, writer);
    this.outbox = new Outbox(db, collection);
    this.unsettled = new Unsettled(db, collection);
    this.lease = new Lease(db, `drain:${collection}`);
  }
}
