import { mkdtempSync, rmSync, watch } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { describeFinding, inspectDataDirectory, ManagedServer, type Space } from "@holdfast/chroma";
import { type Random, seededRandom } from "@holdfast/core";
import { RawChroma, type RawRecord } from "./raw-chroma.ts";
import type { TestedBuild } from "./server-builds.ts";
import { salvageTorn } from "./torn-store.ts";

export interface TearCyclesOptions {
  build: TestedBuild;
  /** Stores that are filled, killed, and read back whole. */
  cycles: number;
  /** Decides what is written and when each kill comes. */
  seed: number;
  /** Kills of one store that tear nothing, before the next is begun. */
  killsMax: number;
  log: (line: string) => void;
}

export interface TearCyclesReport {
  kills: number;
  /** Stores that a kill tore, by space. All were salvaged, and then were whole. */
  torn: Record<Space, number>;
  /** Stores that no kill tore; they were whole too. */
  sound: number;
  /** Records compared, component by component. */
  compared: number;
}

const SPACES: readonly Space[] = ["cosine", "l2", "ip"];
const COLLECTION = "others";
const DIMENSION = 96;
const SYNC_THRESHOLD = 100;
const BATCH = 25;
const LATE = 130;
/** Records of one store: enough that writing its index takes a while. */
const RECORDS_MAX = 6_000;
const KILL_AFTER_MS_MAX = 1_500;

/**
 * Tears stores that another program fills: kills Chroma with SIGKILL in the middle of adds, at a
 * random time or while it writes its index, until the store is torn. Each is salvaged, and everything
 * that was acknowledged compared; then it must take more, restart, and still hold all of it.
 * @throws what is not as it was written, naming store and seed.
 */
export async function runTearCycles(options: TearCyclesOptions): Promise<TearCyclesReport> {
  const { build, cycles, seed, log } = options;
  const random = seededRandom(seed);
  const report: TearCyclesReport = {
    kills: 0,
    torn: { cosine: 0, l2: 0, ip: 0 },
    sound: 0,
    compared: 0,
  };
  for (let cycle = 1; cycle <= cycles; cycle += 1) {
    const space = SPACES[cycle % SPACES.length] as Space;
    const root = mkdtempSync(join(tmpdir(), "holdfast-tear-"));
    const store = new TornStore(join(root, "data"), build, space, random);
    const told = `store ${cycle} (${build.name}, ${space})`;
    try {
      const { kills, detail } = await store.killUntilTorn(options.killsMax);
      report.kills += kills;
      if (detail === undefined) report.sound += 1;
      else report.torn[space] += 1;
      const compared = await store.proveWhole(detail !== undefined);
      report.compared += compared;
      log(`${told}: ${detail ?? "not torn"} after ${kills} kills; ${compared} records whole`);
    } catch (error) {
      throw new Error(`${told} of seed ${seed}, kept at ${root}`, { cause: error });
    }
    rmSync(root, { recursive: true, force: true });
  }
  return report;
}

class TornStore {
  readonly #data: string;
  readonly #space: Space;
  readonly #random: Random;
  readonly #server: ManagedServer;
  readonly #acknowledged = new Map<string, RawRecord>();
  /** Sent, and the server was killed before it answered: there or not, but never otherwise. */
  readonly #unanswered = new Map<string, RawRecord>();
  #collection = "";
  #made = 0;

  constructor(data: string, { command }: TestedBuild, space: Space, random: Random) {
    this.#data = data;
    this.#space = space;
    this.#random = random;
    this.#server = new ManagedServer({
      dataDirectory: data,
      ...(command === undefined ? {} : { command }),
    });
  }

  /** What was found torn, and after how many kills; each kill that tears nothing must lose nothing. */
  async killUntilTorn(killsMax: number): Promise<{ kills: number; detail: string | undefined }> {
    for (let kills = 1; ; kills += 1) {
      await this.#fillAndKill();
      const { damaged, findings } = inspectDataDirectory(this.#data);
      const [first] = findings;
      if (damaged && first !== undefined) return { kills, detail: describeFinding(first) };
      if (kills === killsMax || this.#made >= RECORDS_MAX) return { kills, detail: undefined };
    }
  }

  /** Returns how many records were compared. */
  async proveWhole(torn: boolean): Promise<number> {
    if (torn) await salvageTorn(this.#data);
    await this.#serving(async (chroma) => {
      await this.#expectWhole(chroma);
      // Past another writing of the index, which the next start reads.
      const late = this.#records(LATE);
      await chroma.write("add", this.#collection, late, BATCH);
      this.#keep(this.#acknowledged, late);
    });
    return this.#serving((chroma) => this.#expectWhole(chroma));
  }

  async #fillAndKill(): Promise<void> {
    const running = await this.#server.start();
    const chroma = new RawChroma(running);
    this.#collection ||= await chroma.create(COLLECTION, {
      space: this.#space,
      sync_threshold: SYNC_THRESHOLD,
    });
    if (this.#made > 0) await this.#expectWhole(chroma);
    const killed = new AbortController();
    const filling = this.#fill(chroma, killed.signal);
    await Promise.race([this.#moment(), filling]);
    killed.abort();
    process.kill(running.pid, "SIGKILL");
    await filling;
    while (this.#server.running !== undefined) await pause(5);
  }

  /** Adds until the server is gone. @throws what goes wrong before. */
  async #fill(chroma: RawChroma, killed: AbortSignal): Promise<void> {
    while (!killed.aborted) {
      const batch = this.#records(BATCH);
      this.#keep(this.#unanswered, batch);
      try {
        await chroma.write("add", this.#collection, batch, BATCH);
      } catch (error) {
        if (killed.aborted) return;
        throw error;
      }
      for (const { id } of batch) this.#unanswered.delete(id);
      this.#keep(this.#acknowledged, batch);
    }
  }

  /** Some time while it fills; mostly just when it writes its index. */
  async #moment(): Promise<void> {
    const aimed = this.#random.next() < 0.75;
    const share = this.#random.next();
    await pause(share * KILL_AFTER_MS_MAX);
    if (!aimed) return;
    const writing = Promise.withResolvers<void>();
    const watcher = watch(this.#data, { recursive: true }, (_event, name) => {
      if (name?.endsWith("header.bin")) writing.resolve();
    });
    try {
      await Promise.race([writing.promise, pause(KILL_AFTER_MS_MAX)]);
    } finally {
      watcher.close();
    }
  }

  async #serving<T>(work: (chroma: RawChroma) => Promise<T>): Promise<T> {
    const running = await this.#server.start();
    try {
      return await work(new RawChroma(running));
    } finally {
      await this.#server.stop();
    }
  }

  async #expectWhole(chroma: RawChroma): Promise<number> {
    const found = await chroma.read(this.#collection);
    const count = await chroma.count(this.#collection);
    if (count !== found.size) throw new Error(`count says ${count}, ${found.size} were read`);
    for (const [id, record] of found) {
      const written = this.#acknowledged.get(id) ?? this.#unanswered.get(id);
      if (written === undefined) throw new Error(`${id} was never written`);
      const differs = differenceOf(written, record, this.#space);
      if (differs !== undefined) throw new Error(`${id} is another: ${differs}`);
    }
    const lost = [...this.#acknowledged.keys()].filter((id) => !found.has(id));
    if (lost.length > 0) throw new Error(`${lost.length} are lost, ${lost[0]} among them`);
    await this.#expectFindable(chroma, found);
    return found.size;
  }

  /** The index itself must lead to them; `ip` does not put a vector nearest to itself. */
  async #expectFindable(chroma: RawChroma, found: ReadonlyMap<string, RawRecord>): Promise<void> {
    if (this.#space === "ip") return;
    const every = Math.ceil(found.size / 10);
    for (const { id, vector } of [...found.values()].filter((_, index) => index % every === 0)) {
      const nearest = await chroma.nearest(this.#collection, vector);
      if (nearest !== id) throw new Error(`${id} is not found by its own vector, but ${nearest}`);
    }
  }

  #records(count: number): RawRecord[] {
    return Array.from({ length: count }, () => {
      const index = this.#made++;
      return {
        id: `r${index}`,
        text: `text ${index}`,
        metadata: { index, parity: index % 2 === 0 ? "even" : "odd" },
        vector: new Float32Array(DIMENSION).map(() => (this.#random.next() - 0.5) * 4),
      };
    });
  }

  #keep(where: Map<string, RawRecord>, records: readonly RawRecord[]): void {
    for (const record of records) where.set(record.id, record);
  }
}

/** How a record differs from what was written. Chroma normalises for cosine, and only for it. */
function differenceOf(written: RawRecord, read: RawRecord, space: Space): string | undefined {
  if (read.text !== written.text) return `its text is ${read.text}`;
  const metadata = JSON.stringify(read.metadata);
  const { index, parity } = written.metadata ?? {};
  if (read.metadata?.["index"] !== index || read.metadata?.["parity"] !== parity) {
    return `its metadata is ${metadata}`;
  }
  if (read.vector.length !== written.vector.length) return `${read.vector.length} components`;
  const allowed = space === "cosine" ? 1e-6 * Math.hypot(...written.vector) : 0;
  for (const [i, value] of written.vector.entries()) {
    const back = read.vector[i] ?? NaN;
    if (!(Math.abs(value - back) <= allowed)) return `component ${i} is ${back}, not ${value}`;
  }
  return undefined;
}
