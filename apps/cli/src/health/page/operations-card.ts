import type { OperationSummary } from "@holdfast/metrics";
import { html, type Markup } from "./html.ts";
import type { PageContent } from "./page-content.ts";

const ms = (value: number | null): string => {
  if (value === null) return "–";
  return value < 10 ? value.toFixed(1) : String(Math.round(value));
};

/** Percentiles of each operation, and what is left of what the objective allows to fail. */
export function operationsCard({ history }: PageContent): Markup {
  const { memory, store } = history.metrics;
  const budget = memory.objective?.errorBudget.remaining;
  const left = budget === undefined || budget === null ? undefined : Math.round(budget * 100);
  const tone = left !== undefined && left < 0 ? "bad" : "good";
  const told =
    left === undefined
      ? html`<p class="soft">nothing was asked, so no error budget can be told</p>`
      : html`<p>error budget left: <span class="${tone}">${left} %</span></p>`;
  const rows = [...memory.operations, ...store.operations].map(row);
  const table =
    rows.length === 0
      ? undefined
      : html`<div class="scroll">
          <table>
            <thead>
              <tr>
                <th>Operation</th>
                <th class="number">Runs</th>
                <th class="number">Failed</th>
                <th class="number">p50 ms</th>
                <th class="number">p95 ms</th>
                <th class="number">p99 ms</th>
              </tr>
            </thead>
            <tbody>
              ${rows}
            </tbody>
          </table>
        </div>`;
  return html`<section class="card wide" id="operations">
    <h2>Operations, 24 hours</h2>
    ${told}${table}
  </section>`;
}

function row({ operation, total, failed, durations }: OperationSummary): Markup {
  return html`<tr>
    <td>${operation}</td>
    <td class="number">${total}</td>
    <td class="number ${failed > 0 ? "warn" : ""}">${failed}</td>
    <td class="number">${ms(durations.p50Ms)}</td>
    <td class="number">${ms(durations.p95Ms)}</td>
    <td class="number">${ms(durations.p99Ms)}</td>
  </tr>`;
}
