import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CircuitBreaker, CircuitOpenError } from "@holdfast/breaker";
import {
  chromaProof,
  type ChromaRecoveryDeps,
  chromaStrategies,
  connectionChecks,
  ManagedServer,
  type ManagedServerOptions,
  managedEndpoint,
  ChromaStore,
} from "@holdfast/chroma";
import { createMemory, type Memory, type MemoryDeps } from "@holdfast/memory";
import { RecoveryEngine, RecoveryJournal, runChecks } from "@holdfast/recovery";
import type { VectorStore } from "@holdfast/store";
import { counted } from "../counted.ts";

export interface SelfTestPart {
  name: "connectivity" | "add-and-retrieve" | "breaker" | "recovery";
  passed: boolean;
  message: string;
  tookMs: number;
}

export interface SelfTestReport {
  passed: boolean;
  parts: readonly SelfTestPart[];
}

export interface SelfTestDeps {
  /** The real store: it is written to in a collection of the test's own, which is removed. */
  store: VectorStore;
  embedder: MemoryDeps["embedder"];
  target: ChromaRecoveryDeps["target"];
  /** How to run a scratch server; undefined where none can be. */
  server: ManagedServerOptions | undefined;
}

const POLL_MS = 20;
const TEXTS = ["the harbour light is green", "tea is at four", "the rope is in the left locker"];

/**
 * Shows that the parts work here and now, without touching a memory: the way to the store; a
 * memory added and found in a collection of its own; a scratch breaker through all its states; and
 * a scratch store that is killed and recovered.
 */
export async function selfTest(deps: SelfTestDeps, signal: AbortSignal): Promise<SelfTestReport> {
  const scratch = mkdtempSync(join(tmpdir(), "holdfast-self-test-"));
  try {
    const parts = [
      await part("connectivity", () => connectivity(deps, signal), signal),
      await part("add-and-retrieve", () => addAndRetrieve(deps, scratch, signal), signal),
      await part("breaker", () => breakerStates(), signal),
      await part("recovery", () => recovery(deps, scratch, signal), signal),
    ];
    return { passed: parts.every(({ passed }) => passed), parts };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function part(
  name: SelfTestPart["name"],
  work: () => Promise<string>,
  signal: AbortSignal,
): Promise<SelfTestPart> {
  const began = performance.now();
  const end = (passed: boolean, message: string): SelfTestPart => ({
    name,
    passed,
    message,
    tookMs: Math.round(performance.now() - began),
  });
  try {
    signal.throwIfAborted();
    return end(true, await work());
  } catch (error) {
    signal.throwIfAborted();
    return end(false, error instanceof Error ? error.message : String(error));
  }
}

async function connectivity({ target, store }: SelfTestDeps, signal: AbortSignal): Promise<string> {
  const results = await runChecks(connectionChecks(target, store), { signal });
  const failed = results.find(({ status }) => status !== "pass");
  if (failed !== undefined) throw new Error(`${failed.check}: ${failed.message}`);
  return "name, port, HTTP, tenant and database answer";
}

async function addAndRetrieve(
  { store, embedder }: SelfTestDeps,
  scratch: string,
  signal: AbortSignal,
): Promise<string> {
  const collection = `hf-self-test-${randomUUID().slice(0, 8)}`;
  const memory = openScratch({ store, embedder }, join(scratch, "memory"), collection);
  try {
    await fill(memory, signal);
    const [, wanted = ""] = TEXTS;
    const { hits, degraded } = await memory.search(wanted, { limit: 1, signal });
    if (degraded) throw new Error("the store did not answer the search");
    if (hits[0]?.text !== wanted) throw new Error("what was added is not what is found");
    return `${TEXTS.length} memories were added, stored and found by meaning`;
  } finally {
    await memory.close();
    await store.deleteCollection(collection);
  }
}

async function breakerStates(): Promise<string> {
  const breaker = new CircuitBreaker({
    name: "self-test",
    failureThreshold: 2,
    // Over on no machine before `probeNow` ends it.
    recoveryTimeoutMs: 3_600_000,
    successThreshold: 1,
  });
  try {
    const seen = [breaker.state()];
    const fail = (): Promise<never> => Promise.reject(new Error("on purpose"));
    for (let call = 0; call < 2; call += 1) await breaker.execute(fail).catch(() => undefined);
    seen.push(breaker.state());
    const refused = await breaker
      .execute(() => Promise.resolve(0))
      .catch((error: unknown) => error);
    if (!(refused instanceof CircuitOpenError))
      throw new Error("an open breaker let a call through");
    await breaker.probeNow("self-test");
    seen.push(breaker.state());
    await breaker.execute(() => Promise.resolve());
    seen.push(breaker.state());
    const path = seen.join(", ");
    if (path !== "closed, open, half-open, closed") throw new Error(`its states were ${path}`);
    return path;
  } finally {
    breaker.close();
  }
}

/** A scratch server with memories is killed; without a server, the collection is taken away. */
async function recovery(deps: SelfTestDeps, scratch: string, signal: AbortSignal): Promise<string> {
  if (deps.server === undefined) return recoverElsewhere(deps, scratch, signal);
  const dataDirectory = join(scratch, "chroma");
  const server = new ManagedServer({ ...deps.server, dataDirectory });
  const store = new ChromaStore({ mode: "managed", endpoint: managedEndpoint(dataDirectory) });
  const memory = openScratch(
    { store, embedder: deps.embedder },
    join(scratch, "recovery"),
    "scratch",
  );
  try {
    const { pid, host, port } = await server.start(signal);
    await fill(memory, signal);
    process.kill(pid, "SIGKILL");
    // Its end alone would not keep this process waiting.
    while (server.running !== undefined) await sleep(POLL_MS, undefined, { signal });
    const target = (): Promise<{ host: string; port: number; ssl: boolean }> =>
      Promise.resolve({ host, port, ssl: false });
    return await recovered({ store, memory, target, server }, scratch, signal);
  } finally {
    await memory.close();
    await store.close();
    await server.stop();
  }
}

async function recoverElsewhere(
  { store, embedder, target }: SelfTestDeps,
  scratch: string,
  signal: AbortSignal,
): Promise<string> {
  const collection = `hf-self-test-${randomUUID().slice(0, 8)}`;
  const memory = openScratch({ store, embedder }, join(scratch, "recovery"), collection);
  try {
    await fill(memory, signal);
    await store.deleteCollection(collection, { signal });
    return await recovered({ store, memory, target }, scratch, signal);
  } finally {
    await memory.close();
    await store.deleteCollection(collection);
  }
}

async function recovered(
  parts: Omit<ChromaRecoveryDeps, "isOwnCollection">,
  scratch: string,
  signal: AbortSignal,
): Promise<string> {
  const deps = { ...parts, isOwnCollection: () => true };
  using journal = RecoveryJournal.open(join(scratch, "recovery.db"));
  const engine = new RecoveryEngine(
    { service: "self-test" },
    { journal, strategies: chromaStrategies(deps), prove: chromaProof(deps, { compare: true }) },
  );
  const { outcome, message } = await engine.recover({ trigger: "self-test", signal });
  if (outcome !== "recovered") throw new Error(`a scratch store is ${outcome}: ${message}`);
  return `a scratch store was broken and recovered: ${message}`;
}

function openScratch(
  deps: Pick<MemoryDeps, "store" | "embedder">,
  stateDirectory: string,
  collection: string,
): Memory {
  const breaker = new CircuitBreaker({ name: collection });
  return createMemory({ stateDirectory, collection, background: false }, { ...deps, breaker });
}

async function fill(memory: Memory, signal: AbortSignal): Promise<void> {
  await memory.addMany(
    TEXTS.map((text) => ({ text })),
    { waitMs: 0 },
  );
  const { queued, stoppedBy } = await memory.drain({ signal });
  if (queued > 0) throw new Error(stoppedBy ?? `${counted(queued, "write")} still waiting`);
}
