import type { Day } from "../health-history.ts";
import { html, type Markup } from "./html.ts";
import type { PageContent } from "./page-content.ts";

const date = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** Ninety days, with incidents and deployments on the same axis; a gap is shown as a gap. */
export function daysCard({ history }: PageContent): Markup {
  const { days } = history;
  const [first] = days;
  const last = days.at(-1);
  return html`<section class="card wide" id="days">
    <h2>90 days</h2>
    <ol class="days" aria-label="State of each day, oldest first">
      ${days.map(dayItem)}
    </ol>
    <p class="axis">
      <span>${first === undefined ? "" : date(first.atMs)}</span>
      <span>${last === undefined ? "" : date(last.atMs)}</span>
    </p>
    <p class="soft">
      Dashed: nothing was asked, so nothing is known. Amber: something failed. Red: nothing worked.
      A dot is an incident, a diamond a deployment.
    </p>
  </section>`;
}

function dayItem(day: Day): Markup {
  const marks = [
    ...(day.incidents > 0 ? ["incident"] : []),
    ...(day.deployments > 0 ? ["deployment"] : []),
  ];
  const parts = [
    date(day.atMs),
    day.state === "none" ? "nothing known" : `${day.succeeded} went well, ${day.failed} failed`,
    ...(day.incidents > 0 ? [`${day.incidents} incidents`] : []),
    ...(day.deployments > 0 ? [`${day.deployments} deployments`] : []),
  ];
  const said = parts.join(", ");
  return html`<li
    class="${[day.state, ...marks].join(" ")}"
    title="${said}"
    aria-label="${said}"
  ></li>`;
}
