import type { TestedBuild } from "../support/server-builds.ts";

export interface MatrixRow {
  fault: string;
  build: string;
  /** The check that turned red first; undefined when none may. */
  check: string | undefined;
  redAfterMs: number;
  told: string;
  hint: string | undefined;
  plan: readonly string[];
  outcome: string;
  repaired: readonly string[];
  message: string;
  next: string | undefined;
  /** Compared with the mirror afterwards, all equal. */
  memories: number;
}

interface MatrixFacts {
  memories: number;
  /** How many do where the index's files do not matter, in a run that is not whole. */
  fewer: number;
  /** Undefined when this run has not looked for any: the page keeps what it said. */
  falseAlarms: readonly string[] | undefined;
  builds: readonly TestedBuild[];
  /** In which order they stand in the table. */
  faults: readonly { name: string }[];
  /** The page as it was: rows that this run has not run are kept. */
  before: string;
}

/** The page that the run writes: `docs/fault-matrix.md`. */
export function matrixPage(rows: readonly MatrixRow[], facts: MatrixFacts): string {
  const { memories, fewer, falseAlarms, builds, faults, before } = facts;
  const known = rowsOf(before);
  for (const row of rows) known.set(keyOf(line(row)), line(row));
  const table = builds.flatMap(({ name }) =>
    faults.flatMap((fault) => known.get(`${fault.name} | ${name}`) ?? []),
  );
  const alarms = falseAlarms === undefined ? alarmsOf(before) : alarmText(falseAlarms);
  return [
    "# The fault matrix",
    "",
    "<!-- Written by packages/integration/test/fault-matrix.test.ts: pnpm run fault-matrix there. -->",
    "",
    `Each row breaks a real Chroma server that holds ${memories} memories, waits until a check turns`,
    "red, prints the plan, recovers, and compares every memory with the mirror afterwards: text,",
    "metadata, and vector within 1e-6 of its length. Before the fault and after the recovery every",
    "check is green.",
    "",
    `Run against: ${builds.map(({ name }) => name).join(", ")}. Checks are asked with a limit of 2 s`,
    "each; a fault that leaves a process alive is found by the first round. 100 probes of a healthy",
    `store under load, for each build: ${alarms}.`,
    "",
    "A server that met a full disk may go on hanging after space is free: the recovery restarts it.",
    "",
    "“A person” means that nothing was changed and the user was told what to do; once that was done,",
    "the store was healthy again.",
    "",
    "| Fault | Build | Red | After | What the user is told | What was repaired | Memories back |",
    "| --- | --- | --- | --- | --- | --- | --- |",
    ...table,
    "",
    "`pnpm test` runs each fault once, and on the newer build those that end otherwise there; where the",
    `index's files do not matter, with ${fewer} memories, and 25 probes. \`pnpm run fault-matrix\` in`,
    "`packages/integration` runs every row as it stands here, which takes about 20 minutes, and writes",
    "this page; `pnpm run fault-matrix -t 'disk is full'` those that it names. A fault without its row",
    "here fails the first.",
    "",
    "How to read a plan: [read-a-recovery-plan.md](read-a-recovery-plan.md).",
    "",
  ].join("\n");
}

/** The rows of a page, each by its fault and build. */
export function rowsOf(page: string): Map<string, string> {
  return new Map(page.split("\n").map((row) => [keyOf(row), row]));
}

function line(row: MatrixRow): string {
  const repaired =
    row.outcome === "recovered" || row.outcome === "healthy"
      ? row.repaired.map((each) => `\`${each}\``).join(", then ") || row.message
      : `a person: ${(row.outcome === "failed" ? row.message : row.next) ?? ""}`;
  const cells = [
    row.fault,
    row.build,
    row.check === undefined ? "none" : `\`${row.check}\``,
    row.check === undefined ? "" : seconds(row.redAfterMs),
    short(row.told),
    short(repaired),
    `${row.memories} of ${row.memories}`,
  ];
  return `| ${cells.map(cell).join(" | ")} |`;
}

function alarmText(falseAlarms: readonly string[]): string {
  if (falseAlarms.length === 0) return "none raised an alarm";
  return `${falseAlarms.length} alarms were raised: ${falseAlarms.join("; ")}`;
}

function alarmsOf(before: string): string {
  return /for each build: ([^]*?)\.\n/.exec(before)?.[1]?.replaceAll("\n", " ") ?? "not looked at";
}

/** A row's first two cells, however a formatter has padded them. */
function keyOf(text: string): string {
  const [, fault = "", build = ""] = text.split(/(?<!\\)\|/);
  return `${fault.trim()} | ${build.trim()}`;
}

function seconds(ms: number): string {
  return ms < 100 ? "< 0.1 s" : `${(ms / 1_000).toFixed(1)} s`;
}

const LENGTH_MAX = 160;

function short(text: string): string {
  const plain = withoutPlaces(text);
  return plain.length > LENGTH_MAX ? `${plain.slice(0, LENGTH_MAX)}…` : plain;
}

/** Folders and numbers of processes and ports are another at each run. */
function withoutPlaces(text: string): string {
  return text
    .replaceAll(/\/(?:[\w.-]+\/)+holdfast-[\w-]+(\/[\w.-]+)*/g, "DIRECTORY")
    .replaceAll(/\bprocess(es)? \d+/gi, "process N")
    .replaceAll(/kill \d+/g, "kill N")
    .replaceAll(/writing: \d+/g, "writing: N")
    .replaceAll(/[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/g, "ID")
    .replaceAll(/127\.0\.0\.1:\d+/g, "127.0.0.1:PORT");
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}
