import type { BreakerExplanation } from "@holdfast/breaker";
import { formatDuration } from "@holdfast/core";
import { moment } from "./memory-text.ts";
import { columns, type Output, printable } from "./output.ts";

/** The breaker's circuits: each operation's own, and the one for all other calls. */
export function circuitsOf(breaker: BreakerExplanation): BreakerExplanation[] {
  return [...Object.values(breaker.operations), breaker];
}

/** The circuit that a verdict is about: open before half-open before closed. */
export function worstCircuit(breaker: BreakerExplanation): BreakerExplanation {
  const circuits = circuitsOf(breaker);
  const inState = (state: string): BreakerExplanation | undefined =>
    circuits.find((circuit) => circuit.state === state);
  return inState("open") ?? inState("half-open") ?? breaker;
}

/** `read`, `write`, or `other` for calls without a circuit of their own. */
export function circuitName({ operation }: BreakerExplanation): string {
  return operation ?? "other";
}

/** `open since 2026-01-31 12:00:00 (3 min): 5 failures in a row …` */
function stateAndWhy(circuit: BreakerExplanation, now: number): string {
  const { state, since, why } = circuit;
  return `${state}${since === null ? "" : ` since ${ago(since, now)}`}: ${why}`;
}

/** What comes next, with the time of the next probe where one is due. */
function whatNext({ next, nextProbeAt, state }: BreakerExplanation, now: number): string {
  if (state === "closed" || nextProbeAt === null || nextProbeAt <= now) return next;
  return `${next}; next probe at ${moment(nextProbeAt)}`;
}

/**
 * Rows of a status page: one for a breaker that is closed throughout, else one pair for each
 * circuit that is not, or that stands under an order.
 */
export function breakerRows(breaker: BreakerExplanation, now: number): string[][] {
  const telling = circuitsOf(breaker).filter(
    ({ state, forced }) => state !== "closed" || forced !== null,
  );
  if (telling.length === 0) {
    const closed = circuitsOf(breaker).find(({ evidence }) => evidence.failures > 0) ?? breaker;
    return [["breaker", `${closed.state}: ${closed.why}; ${closed.next}`]];
  }
  return telling.flatMap((circuit, index) => [
    [index === 0 ? "breaker" : "", `${circuitName(circuit)} ${stateAndWhy(circuit, now)}`],
    ["", whatNext(circuit, now)],
  ]);
}

/** Each circuit with its reasons, evidence and what would change it. */
export function explanationText(explanation: BreakerExplanation, output: Output): string {
  const now = Date.now();
  return circuitsOf(explanation)
    .map((circuit) => circuitText(circuit, now, output))
    .join("\n");
}

function circuitText(circuit: BreakerExplanation, now: number, output: Output): string {
  const { state, evidence, forced, store } = circuit;
  const colour = state === "closed" ? "green" : state === "open" ? "red" : "yellow";
  const rows = [
    ["next", forced === null ? whatNext(circuit, now) : `${circuit.next}: ${resetOf(circuit)}`],
    ...(forced === null
      ? []
      : [["order", `${forced.mode} since ${moment(forced.since)}: ${forced.reason}`]]),
    ...evidence.lastErrors.map((error, index) => [
      index === 0 ? "errors" : "",
      `${moment(error.at)} ${error.code ?? error.name} ${error.message}`,
    ]),
    ...(store.error === null ? [] : [["shared", `its file is away: ${store.error.message}`]]),
  ];
  const head = `${output.paint([colour, "bold"], circuitName(circuit))} ${printable(stateAndWhy(circuit, now))}`;
  return `${head}\n${printable(columns(rows.map(([name = "", text = ""]) => [`  ${name}`, text])))}`;
}

function resetOf({ operation }: BreakerExplanation): string {
  return `holdfast memory breaker reset${operation === null ? "" : ` --operation ${operation}`}`;
}

function ago(ms: number, now: number): string {
  return `${moment(ms)} (${formatDuration(Math.max(0, now - ms))})`;
}
