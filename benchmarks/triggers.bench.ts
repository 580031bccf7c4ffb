// What remembering costs: a function that is wrapped; a program under `run`, Node's start taken out; a
// coding agent's hook, Node's start included; a command that is remembered, beside one that is not.
// Rounds are interleaved, so that a busy machine slows all alike. Needs a build (pnpm build).
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
import { report, type Result } from "./results.ts";
import { median, quantile } from "./statistics.ts";

const ROUNDS = Number(process.env["ROUNDS"] ?? 30);
const CALLS = 2_000;
const CLI = fileURLToPath(new URL("../apps/cli/dist/bin.js", import.meta.url));

const folder = mkdtempSync(join(tmpdir(), "holdfast-bench-"));
try {
  report([...(await wrappedFunctions()), ...processes()]);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function wrappedFunctions(): Promise<Result[]> {
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
  const of = (name: string): number => median(micros[name] ?? []);
  return [
    {
      subject: "a wrapped call that policy declines, beyond the call",
      value: of("declined") - of("plain"),
      unit: "µs",
      goal: { atMost: 10 },
    },
    {
      subject: "a wrapped call that is captured",
      value: of("captured"),
      unit: "µs",
      goal: { atMost: 1_000 },
      detail: `journaled afterwards, each ${of("journaled").toFixed(0)} µs`,
    },
  ];
}

function perCall(work: () => unknown, calls: number): number {
  const began = performance.now();
  for (let call = 0; call < calls; call += 1) work();
  return ((performance.now() - began) * 1_000) / calls;
}

function processes(): Result[] {
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
  const beyond = (name: string, other: string): Pick<Result, "value" | "unit" | "detail"> => ({
    value: of(name) - of(other),
    unit: "ms",
    detail: `${of(name).toFixed(1)} / ${of(other).toFixed(1)} ms`,
  });
  return [
    {
      subject: "a remembered command, beyond one that is not",
      ...beyond("list", "listUnremembered"),
      goal: { atMost: 5 },
    },
    {
      subject: "a remembered program, beyond one that is not",
      ...beyond("run", "runUnremembered"),
    },
    {
      subject: "`run -- true`, beyond `node -e 0`",
      ...beyond("run", "node"),
      detail: `\`true\` alone ${of("true").toFixed(1)} ms`,
    },
    {
      subject: "a coding agent's hook with Node's start, p99",
      value: quantile(ms["hook"] ?? [], 0.99),
      unit: "ms",
      goal: { atMost: 200 },
      detail: `p50 ${of("hook").toFixed(1)} ms`,
    },
  ];
}

function run(args: readonly string[], input = ""): void {
  spawn(process.execPath, [CLI, ...args], input);
}

function spawn(command: string, args: readonly string[], input = ""): void {
  const { status, error, stderr } = spawnSync(command, args, { cwd: folder, input });
  if (error) throw error;
  if (status !== 0) throw new Error(`${args.join(" ")} ended with ${status}: ${String(stderr)}`);
}
