import { type Database, Lease } from "@holdfast/sqlite";
import { Mirror } from "./mirror.ts";
import { Outbox } from "./outbox.ts";
import { OthersMirror } from "./sync/others-mirror.ts";
import { Unsettled } from "./unsettled.ts";

/** The number under which a restore prepares a collection's memories: no collection has it. */
export const stagedNumber = (collection: number): number => -2 * collection;
/** The number under which a restore parks those that it replaced. */
export const previousNumber = (collection: number): number => -2 * collection - 1;

/** Everything one connection can do to the file. */
export class Tables {
  readonly db: Database;
  readonly mirror: Mirror;
  /** What a restore is preparing. */
  readonly staged: Mirror;
  /** What a restore has replaced. */
  readonly previous: Mirror;
  /** What other programs have put into the collection, as the last sync saw it. */
  readonly others: OthersMirror;
  /** Copies of memories beside the mirror: what is forgotten is forgotten there too. */
  readonly besides: readonly Mirror[];
  readonly outbox: Outbox;
  readonly unsettled: Unsettled;
  readonly lease: Lease;

  constructor(db: Database, collection: number, writer: string) {
    this.db = db;
    this.mirror = new Mirror(db, collection, writer);
    this.staged = new Mirror(db, stagedNumber(collection), writer);
    this.previous = new Mirror(db, previousNumber(collection), writer);
    this.others = new OthersMirror(db, collection, writer);
    this.besides = [this.staged, this.previous, this.others.mirror];
    this.outbox = new Outbox(db, collection);
    this.unsettled = new Unsettled(db, collection);
    this.lease = new Lease(db, `drain:${collection}`);
  }
}
