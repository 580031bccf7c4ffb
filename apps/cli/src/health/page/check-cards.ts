import { formatDuration } from "@holdfast/core";
import type { CheckResult, CheckStatus, ServiceStatus } from "@holdfast/recovery";
import { html, type Markup } from "./html.ts";
import type { PageContent } from "./page-content.ts";

type Tone = "good" | "warn" | "bad";

const SERVICE_TONES: Readonly<Record<ServiceStatus, Tone>> = {
  healthy: "good",
  recovering: "warn",
  degraded: "warn",
  unknown: "warn",
  unhealthy: "bad",
  offline: "bad",
};

export const CHECK_TONES: Readonly<Record<CheckStatus, Tone>> = {
  pass: "good",
  warn: "warn",
  unknown: "warn",
  fail: "bad",
};

/** What a page older than this says is no longer known. */
const FRESH_MS = 90_000;

/**
 * The verdict, its cause, the next command, and how old the evidence is. A page cannot look again,
 * so it says from when on its verdict is to be read as unknown.
 */
export function verdictBanner({ answer, now }: PageContent): Markup {
  const { status, cause, next, at } = answer;
  const until = new Date(at + FRESH_MS);
  return html`<section class="verdict ${SERVICE_TONES[status]}" role="status">
    <h1>${status}</h1>
    <p>${cause}</p>
    ${next === undefined ? undefined : html`<p>Next: <code>${next}</code></p>`}
    <p class="soft">
      Evidence ${formatDuration(Math.max(0, now - at))} old when this was written. After
      <time datetime="${until.toISOString()}"
        >${until.toISOString().slice(0, 19).replace("T", " ")} UTC</time
      >
      read it as unknown.
    </p>
  </section>`;
}

/** Every check, by service. */
export function checksCard({ answer }: PageContent): Markup {
  const rows = answer.services.flatMap(({ service, checks }) =>
    checks.map(
      (check, at) =>
        html`<tr>
          <td>${at === 0 ? service : ""}</td>
          <td>${check.check}</td>
          <td class="${CHECK_TONES[check.status]}">${check.status}</td>
          <td class="text">${check.message}${hintOf(check)}</td>
          <td class="number">${Math.round(check.tookMs)} ms</td>
        </tr>`,
    ),
  );
  return html`<section class="card wide" id="checks">
    <h2>Checks</h2>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th>Service</th>
            <th>Check</th>
            <th>Result</th>
            <th>Found</th>
            <th class="number">Took</th>
          </tr>
        </thead>
        <tbody>
          ${rows}
        </tbody>
      </table>
    </div>
  </section>`;
}

const hintOf = ({ hint }: CheckResult): Markup | undefined =>
  hint === undefined ? undefined : html`<br /><code>${hint}</code>`;
