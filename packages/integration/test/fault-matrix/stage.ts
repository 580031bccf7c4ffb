import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CircuitBreaker } from "@holdfast/breaker";
import {
  type ChromaRecoveryDeps,
  chromaProof,
  ChromaStore,
  chromaStrategies,
  connectionChecks,
  directoryChecks,
  managedEndpoint,
  ManagedServer,
  probeChecks,
  processChecks,
  type RunningServer,
  stateDirectoryOf,
} from "@holdfast/chroma";
import { hashEmbedder } from "@holdfast/embedder/testing";
import { type Clock, systemClock } from "@holdfast/core";
import { breakerOutcome, createMemory, type Memory } from "@holdfast/memory";
import {
  type HealthCheck,
  RecoveryEngine,
  RecoveryJournal,
  type RecoveryPlan,
  type RecoveryReport,
} from "@holdfast/recovery";
import type { SettableClock } from "@holdfast/testkit";
import { RawChroma, type RawRecord } from "../support/raw-chroma.ts";
import type { TestedBuild } from "../support/server-builds.ts";

const DIMENSION = 32;
/** Enough for Chroma to have persisted the index once, at 1,000. */
export const MEMORIES = 1_100;
/** Enough for what does not touch the index's files. */
export const MEMORIES_FEW = 150;
/** A hung server is found soon; whether a store is well is asked with more patience. */
const CHECK_LIMIT_MS = 2_000;
const ENDPOINT_LIMIT_MS = 60_000;

/** Where a store is that somebody else runs, as far as the test lets it be seen. */
export interface Elsewhere {
  host: string;
  port: number;
  tenant?: string;
}

export interface StageOptions {
  build: TestedBuild;
  /** Default: a folder of its own. */
  root?: string;
  /** The server's clock, and that of all that looks at it. Default: the machine's. */
  clock?: SettableClock;
}

/** A real server with memories in it, its checks, and its recovery. */
export class Stage implements AsyncDisposable {
  readonly root: string;
  readonly dataDirectory: string;
  readonly build: TestedBuild;
  #server: ManagedServer;
  readonly #journal: RecoveryJournal;
  readonly #settable: SettableClock | undefined;
  readonly #clock: Clock;
  #store!: ChromaStore;
  #memory!: Memory;
  #elsewhere: Elsewhere | undefined;

  private constructor({ build, root, clock }: StageOptions) {
    this.#settable = clock;
    this.#clock = { ...systemClock, now: () => Date.now() + (clock?.offsetMs ?? 0) };
    this.root = root ?? mkdtempSync(join(tmpdir(), "holdfast-matrix-"));
    this.dataDirectory = join(this.root, "chroma");
    this.build = build;
    this.#server = this.#serverOf(build);
    this.#journal = RecoveryJournal.open(join(this.root, "recovery.db"));
  }

  /** An empty store that runs. */
  static async empty(options: StageOptions): Promise<Stage> {
    const stage = new Stage(options);
    await stage.server.start();
    stage.open();
    return stage;
  }

  /** A copy of a stage that was put away, running; on a file system of the caller's if given. */
  static async copyOf(model: string, options: StageOptions): Promise<Stage> {
    const stage = new Stage(options);
    for (const name of ["chroma", "chroma.holdfast"]) {
      cpSync(join(model, name), join(stage.root, name), { recursive: true });
    }
    await stage.server.start();
    stage.open();
    return stage;
  }

  get server(): ManagedServer {
    return this.#server;
  }

  get memory(): Memory {
    return this.#memory;
  }

  get store(): ChromaStore {
    return this.#store;
  }

  get raw(): RawChroma {
    return new RawChroma(this.running);
  }

  get running(): RunningServer {
    if (this.server.running === undefined) throw new Error("no server runs");
    return this.server.running;
  }

  /** Opens store and memory; again after the memory was closed. */
  open(): void {
    const managed = { mode: "managed", endpoint: managedEndpoint(this.dataDirectory) } as const;
    const elsewhere = this.#elsewhere;
    this.#store = new ChromaStore(
      elsewhere === undefined ? managed : { mode: "server", ...elsewhere },
      { clock: this.#clock },
    );
    this.#memory = createMemory(
      { stateDirectory: stateDirectoryOf(this.dataDirectory), background: false },
      {
        store: this.#store,
        embedder: hashEmbedder({ dimension: DIMENSION }),
        breaker: new CircuitBreaker(
          { name: "matrix", enabled: this.#settable !== undefined, classify: breakerOutcome },
          { clock: this.#clock },
        ),
        clock: this.#clock,
      },
    );
  }

  /** From now on the store is one that somebody else runs; undefined: it is managed again. */
  async seenFrom(elsewhere: Elsewhere | undefined): Promise<void> {
    await this.close();
    this.#elsewhere = elsewhere;
    this.open();
  }

  /** From now on another build is what serves the directory. */
  async servedBy(build: TestedBuild): Promise<void> {
    await this.#server.stop();
    this.#server = this.#serverOf(build);
  }

  async close(): Promise<void> {
    await this.#memory.close();
    await this.#store.close();
  }

  /** Sets the clock by so many milliseconds. */
  jump(byMs: number): void {
    if (this.#settable === undefined) throw new Error("this stage has no clock of its own");
    this.#settable.jump(byMs);
  }

  /** What is looked at, each under a limit of its own beside that of who runs them. */
  checks(limitMs: number = CHECK_LIMIT_MS): HealthCheck[] {
    const { collection } = this.#memory.status();
    const wanted = this.#memory.status().mirrored;
    return [
      ...(this.#elsewhere === undefined
        ? [
            ...processChecks(this.dataDirectory, this.#clock),
            ...directoryChecks(
              this.dataDirectory,
              { freeBytesMin: 1_000_000, freeBytesWarn: 0 },
              this.#clock,
            ),
          ]
        : []),
      ...connectionChecks(this.#target, this.#store, limitMs),
      ...probeChecks(this.#store, {
        collection,
        recordsMin: () => wanted,
        timeoutMs: limitMs,
      }),
    ];
  }

  plan(): Promise<RecoveryPlan> {
    return this.#engine().plan();
  }

  recover(trigger: string): Promise<RecoveryReport> {
    return this.#engine().recover({ trigger });
  }

  /** Ends everything and keeps the files. */
  async putAway(): Promise<void> {
    await this.close();
    await this.server.stop();
    this.#journal.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.putAway();
    rmSync(this.root, { recursive: true, force: true });
  }

  #serverOf({ command }: TestedBuild): ManagedServer {
    const options = { dataDirectory: this.dataDirectory };
    return new ManagedServer(command === undefined ? options : { ...options, command }, {
      clock: this.#clock,
    });
  }

  #engine(): RecoveryEngine {
    const deps: ChromaRecoveryDeps = {
      store: this.#store,
      memory: this.#memory,
      target: this.#target,
      clock: this.#clock,
      isOwnCollection: (name) => name === "hf-canary" || name.startsWith("memories--"),
      ...(this.#elsewhere === undefined
        ? { server: this.server }
        : { createPlace: (signal) => this.#store.createPlace({ signal }) }),
    };
    return new RecoveryEngine(
      { service: "store", diagnoseTimeoutMs: ENDPOINT_LIMIT_MS, proofTimeoutMs: 120_000 },
      {
        journal: this.#journal,
        strategies: chromaStrategies(deps),
        prove: chromaProof(deps, { compare: true }),
        clock: this.#clock,
      },
    );
  }

  readonly #target = async (): Promise<{ host: string; port: number; ssl: boolean }> => ({
    ...(this.#elsewhere ?? (await managedEndpoint(this.dataDirectory)())),
    ssl: false,
  });
}

/** Makes the store that every row begins with, once, and returns where it was put away. */
export async function makeModel(build: TestedBuild, memories: number): Promise<string> {
  const stage = await Stage.empty({ build });
  const texts = Array.from({ length: memories }, (_, index) => ({
    text: `memory ${index}: ${"the harbour light is green ".repeat(index % 5)}`,
    metadata: { index, parity: index % 2 === 0 ? "even" : "odd" },
  }));
  for (let from = 0; from < texts.length; from += 100) {
    await stage.memory.addMany(texts.slice(from, from + 100), { waitMs: 0 });
  }
  await stage.memory.drain();
  await stage.putAway();
  return stage.root;
}

/** Records of another program, in a collection of its own, past one persist. */
export async function addForeign(stage: Stage): Promise<Map<string, RawRecord>> {
  const collection = await stage.raw.create("others", { space: "cosine", sync_threshold: 100 });
  const records = Array.from({ length: 350 }, (_, index) => ({
    id: `other-${index}`,
    text: `theirs ${index}`,
    vector: new Float32Array(16).map((_value, i) => Math.sin(index * 31 + i * 7) * 3),
  }));
  await stage.raw.write("add", collection, records);
  return new Map(records.map((record) => [record.id, record]));
}
