// What remembering costs: a function that is wrapped; a program under `run`, Node's start taken out; a
// coding agent's hook, Node's start included; a command that is remembered, beside one that is not.
// Rounds are interleaved, so that a busy machine slows all alike. Needs a build (pnpm build). Prints
// JSON.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CircuitBreaker } from "@holdfast/breaker";
import { HoldfastError } from "@holdfast/core";
import {
  createMemory,
  createRedactor,
  redactedMemory,
  TriggerService,
  withMemory,
} from "@holdfast/memory";
import { InMemoryVectorStore } from "@holdfast/memory/testing";

const ROUNDS = Number(process.env["ROUNDS"] ?? 30);
const CALLS = 2_000;
const CLI = fileURLToPath(new URL("../apps/cli/dist/bin.js", import.meta.url));

const folder = mkdtempSync(join(tmpdir(), "holdfast-bench-"));
try {
  const functions = await wrappedFunctions();
  process.stdout.write(`${JSON.stringify({ functions, processes: processes() }, undefined, 2)}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function wrappedFunctions(): Promise<Record<string, unknown>> {
  const away = (): Promise<never> =>
    Promise.reject(new HoldfastError("no model", { code: "EMBEDDER_UNAVAILABLE" }));
  const opened = createMemory(
    { stateDirectory: join(folder, "state"), background: false },
    {
      store: new InMemoryVectorStore(),
      embedder: { identity: away, embed: away },
      breaker: new CircuitBreaker({ name: "store" }),
    },
  );
  const memory = redactedMemory(opened, createRedactor());
  const plain = (n: number): number => n + 1;
  const declining = new TriggerService(
    {},
    { memory, decider: { decide: () => ({ capture: false }) } },
  );
  const capturing = new TriggerService({ mergeWindowMs: 0 }, { memory });
  const declined = withMemory(plain, { triggers: declining, name: "plain" });
  const captured = withMemory(plain, { triggers: capturing, name: "plain" });
  const micros: Record<string, number[]> = { plain: [], declined: [], captured: [], journaled: [] };
  for (let round = 0; round <= ROUNDS; round += 1) {
    const times = {
      plain: perCall(() => plain(round), CALLS),
      declined: perCall(() => declined(round), CALLS),
      captured: perCall(() => captured(round), 64),
      journaled: 0,
    };
    const began = performance.now();
    await capturing.flush();
    times.journaled = ((performance.now() - began) * 1_000) / 64;
    // The first round warms up.
    if (round > 0) for (const [name, us] of Object.entries(times)) micros[name]?.push(us);
  }
  await opened.close();
  return {
    declinedMicros: rounded(median(micros["declined"] ?? []) - median(micros["plain"] ?? [])),
    capturedMicros: rounded(median(micros["captured"] ?? [])),
    journaledMicros: rounded(median(micros["journaled"] ?? [])),
    goals: { declinedMicros: 10, capturedMicros: 1_000 },
  };
}

function perCall(work: () => unknown, calls: number): number {
  const began = performance.now();
  for (let call = 0; call < calls; call += 1) work();
  return ((performance.now() - began) * 1_000) / calls;
}

function processes(): Record<string, unknown> {
  writeFileSync(
    join(folder, "holdfast.yaml"),
    "vector_store: {config: {host: 127.0.0.1, port: 9}}\n",
  );
  run(["memory", "add", "The build needs Node 24", "--wait", "0"]);
  const prompt = { hook_event_name: "UserPromptSubmit", session_id: "s", prompt: "which Node?" };
  const subjects: Readonly<Record<string, () => void>> = {
    node: () => spawn(process.execPath, ["-e", "0"]),
    true: () => spawn("true", []),
    run: () => run(["run", "--", "true"]),
    runUnremembered: () => run(["run", "--no-trigger", "--", "true"]),
    list: () => run(["memory", "list"]),
    listUnremembered: () => run(["memory", "list", "--no-trigger"]),
    hook: () => run(["hook", "claude-code"], JSON.stringify(prompt)),
  };
  const ms: Record<string, number[]> = {};
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const [name, work] of Object.entries(subjects)) {
      const began = performance.now();
      work();
      if (round > 0) (ms[name] ??= []).push(performance.now() - began);
    }
  }
  const of = (name: string): number => median(ms[name] ?? []);
  return {
    rounds: ROUNDS,
    nodeStartMs: rounded(of("node")),
    runWithoutNodeStartMs: rounded(of("run") - of("node")),
    trueMs: rounded(of("true")),
    rememberingAProgramMs: rounded(of("run") - of("runUnremembered")),
    rememberingACommandMs: rounded(of("list") - of("listUnremembered")),
    rememberedToUnremembered: rounded(of("list") / of("listUnremembered")),
    hookMs: { median: rounded(of("hook")), p99: rounded(quantile(ms["hook"] ?? [], 0.99)) },
    goals: { rememberingACommandMs: 5, hookP99Ms: 200 },
  };
}

function run(args: readonly string[], input = ""): void {
  spawn(process.execPath, [CLI, ...args], input);
}

function spawn(command: string, args: readonly string[], input = ""): void {
  const { status, error, stderr } = spawnSync(command, args, { cwd: folder, input });
  if (error) throw error;
  if (status !== 0) throw new Error(`${args.join(" ")} ended with ${status}: ${String(stderr)}`);
}

function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

function quantile(values: readonly number[], at: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * at))] ?? Number.NaN;
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
