import { formatDuration } from "@holdfast/core";
import type { CheckResult } from "@holdfast/recovery";
import type { HealthAnswer } from "../health-answer.ts";
import { CHECK_TONES } from "./check-cards.ts";
import { html, type Markup } from "./html.ts";
import type { PageContent } from "./page-content.ts";
import { counted } from "../../counted.ts";

const checkOf = ({ services }: HealthAnswer, name: string): CheckResult | undefined =>
  services.flatMap(({ checks }) => checks).find(({ check }) => check === name);

/** Whether what is written is found: the one check that no dead store passes. */
export function canaryCard({ answer }: PageContent): Markup {
  return checkCard("Canary", checkOf(answer, "canary"), "not sent: this service was not asked");
}

/** What SQLite and the index of the store hold, beside the mirror. */
export function integrityCard({ answer, memory }: PageContent): Markup {
  const names = ["collection", "embeddings", "filtered-query", "persistence"];
  const checks = names.flatMap((name) => checkOf(answer, name) ?? []);
  return html`<section class="card" id="integrity">
    <h2>Store integrity</h2>
    <p>${counted(memory.mirrored, "memory")} in the mirror</p>
    ${checks.map(
      ({ check, status, message }) =>
        html`<p><span class="${CHECK_TONES[status]}">${check}</span>: ${message}</p>`,
    )}
  </section>`;
}

/** accepted = stored + queued + dead + discarded; anything else is red. */
export function ledgerCard({ memory }: PageContent): Markup {
  const { accepted, stored, queued, dead, discarded, residual, refused } = memory.ledger;
  const verdict =
    residual === 0
      ? html`<p class="good">balances</p>`
      : html`<p class="bad">Unaccounted for: ${counted(residual, "accepted write")}</p>`;
  return html`<section class="card" id="ledger">
    <h2>Ledger</h2>
    <p class="big">${accepted} accepted</p>
    <p>= ${stored} stored + ${queued} queued + ${dead} dead + ${discarded} discarded</p>
    ${verdict}
    <p class="soft">${refused} were refused, and never accepted</p>
  </section>`;
}

export function waitingCard({ memory }: PageContent): Markup {
  const { outbox, ledger } = memory;
  const oldest =
    outbox.oldestAgeMs === undefined
      ? "nothing waits"
      : `the oldest for ${formatDuration(outbox.oldestAgeMs)}`;
  const dead =
    ledger.dead === 0
      ? html`<p class="soft">no dead letters</p>`
      : html`<p class="warn">${ledger.dead} dead letters</p>
          <p>
            <code>holdfast memory outbox retry</code><br /><code
              >holdfast memory outbox discard</code
            >
          </p>`;
  return html`<section class="card" id="backlog">
    <h2>Backlog</h2>
    <p class="big">${outbox.records} waiting</p>
    <p>${oldest}</p>
    ${outbox.lastError === undefined ? undefined : html`<p>${outbox.lastError}</p>`}${dead}
  </section>`;
}

function checkCard(title: string, check: CheckResult | undefined, missing: string): Markup {
  const body =
    check === undefined
      ? html`<p class="warn big">unknown</p>
          <p>${missing}</p>`
      : html`<p class="big ${CHECK_TONES[check.status]}">${check.status}</p>
          <p>${check.message}</p>
          <p class="soft">${Math.round(check.tookMs)} ms</p>`;
  return html`<section class="card" id="${title.toLowerCase()}">
    <h2>${title}</h2>
    ${body}
  </section>`;
}
