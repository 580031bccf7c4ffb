import { formatDuration } from "@holdfast/core";
import type { MetricsEvent } from "@holdfast/metrics";
import type { Incident } from "@holdfast/recovery";
import { circuitName, circuitsOf } from "../../breaker-text.ts";
import { moment } from "../../memory-text.ts";
import { formatBytes } from "../../backup/backup-text.ts";
import { growthText } from "../health-text.ts";
import { html, type Markup } from "./html.ts";
import type { PageContent } from "./page-content.ts";
import { counted } from "../../counted.ts";

const SHOWN_MAX = 6;

export function backupCard({ history, now }: PageContent): Markup {
  const [last] = history.backups;
  const drilled = history.backups.find(({ drilledAt }) => drilledAt !== null);
  const drill =
    drilled?.drilledAt === undefined || drilled.drilledAt === null
      ? html`<p class="warn">
          no restore was ever tried: <code>holdfast memory backup verify FILE --drill</code>
        </p>`
      : html`<p>last verified restore ${formatDuration(now - drilled.drilledAt)} ago</p>`;
  const made =
    last === undefined
      ? html`<p class="big warn">none</p>
          <p><code>holdfast memory backup</code></p>`
      : html`<p class="big">${formatDuration(now - last.madeAt)} ago</p>
          <p>${counted(last.memories, "memory")}, ${formatBytes(last.bytes)}</p>
          ${last.partial === null ? undefined : html`<p class="warn">partial: ${last.partial}</p>`}`;
  return html`<section class="card" id="backup">
    <h2>Last backup</h2>
    ${made}${drill}
  </section>`;
}

/** The state of each circuit, why, and when the next probe may run; then what it went through. */
export function breakerCard({ memory, history, now }: PageContent): Markup {
  const circuits = circuitsOf(memory.breaker).map((circuit) => {
    const { state, why, retryAfterMs } = circuit;
    const tone = state === "closed" ? "good" : state === "open" ? "bad" : "warn";
    const probe =
      state === "open" && retryAfterMs !== null && retryAfterMs > 0
        ? `; next probe in ${formatDuration(retryAfterMs)}`
        : "";
    return html`<p>
      <span class="${tone}">${circuitName(circuit)} ${state}</span>: ${why}${probe}
    </p>`;
  });
  const events = history.transitions
    .slice(0, SHOWN_MAX)
    .map(
      (event: MetricsEvent) =>
        html`<p class="soft">
          ${formatDuration(now - event.atMs)} ago, ${event.subject}: ${String(event.data["from"])}
          to ${String(event.data["to"])}, ${String(event.data["why"] ?? "")}
        </p>`,
    );
  return html`<section class="card" id="breaker">
    <h2>Breaker</h2>
    ${circuits}${events}
  </section>`;
}

export function growthCard({ history }: PageContent): Markup {
  const { growth } = history;
  return html`<section class="card" id="growth">
    <h2>Growth</h2>
    <p class="big">${formatBytes(growth.bytes)}</p>
    <p>${growthText(growth)}</p>
  </section>`;
}

export function selfTestCard({ history }: PageContent): Markup {
  const { selfTest } = history;
  const body =
    selfTest === undefined
      ? html`<p class="soft">never run: <code>holdfast health --self-test</code></p>`
      : html`<p class="big ${selfTest.passed ? "good" : "bad"}">
            ${selfTest.passed ? "passed" : "failed"}
          </p>
          <p class="soft">${moment(selfTest.at)}</p>
          ${Object.entries(selfTest.parts).map(([name, end]) => html`<p>${name}: ${end}</p>`)}`;
  return html`<section class="card" id="self-test">
    <h2>Self-test</h2>
    ${body}
  </section>`;
}

/** Incidents, deployments and the last errors. */
export function incidentsCard({ history }: PageContent): Markup {
  const { incidents, deployments, metrics } = history;
  const { failure } = metrics.last;
  const rows = [
    ...incidents.map((incident) => ({ atMs: incident.openedAt, row: incidentRow(incident) })),
    ...deployments.map((event) => ({ atMs: event.atMs, row: deploymentRow(event) })),
  ]
    .toSorted((one, other) => other.atMs - one.atMs)
    .map(({ row }) => row);
  const table =
    rows.length === 0
      ? html`<p class="soft">no incident and no deployment in 90 days</p>`
      : html`<div class="scroll">
          <table>
            <tbody>
              ${rows}
            </tbody>
          </table>
        </div>`;
  const error =
    failure === undefined
      ? html`<p class="soft">no error in 24 hours</p>`
      : html`<p>
          Last error: ${failure.operation}, ${moment(failure.atMs)}, ${failure.code}
          ${failure.message}
        </p>`;
  return html`<section class="card wide" id="incidents">
    <h2>Incidents and deployments</h2>
    ${table}${error}
  </section>`;
}

function incidentRow({ openedAt, state, trigger, message, id }: Incident): Markup {
  const tone = state === "recovered" ? "good" : "bad";
  return html`<tr>
    <td>${moment(openedAt)}</td>
    <td class="${tone}">incident, ${state}</td>
    <td class="text">${trigger}: ${message}</td>
    <td><code>${id}</code></td>
  </tr>`;
}

function deploymentRow({ atMs, subject, data }: MetricsEvent): Markup {
  return html`<tr>
    <td>${moment(atMs)}</td>
    <td>deployment, ${String(data["outcome"])}</td>
    <td class="text">${subject}</td>
    <td></td>
  </tr>`;
}
