import { moment } from "../../memory-text.ts";
import { checksCard, verdictBanner } from "./check-cards.ts";
import { daysCard } from "./days-card.ts";
import {
  backupCard,
  breakerCard,
  growthCard,
  incidentsCard,
  selfTestCard,
} from "./history-cards.ts";
import { html, Markup } from "./html.ts";
import { canaryCard, integrityCard, ledgerCard, waitingCard } from "./memory-cards.ts";
import { operationsCard } from "./operations-card.ts";
import type { PageContent } from "./page-content.ts";
import { PAGE_STYLE } from "./page-style.ts";

/** The whole page: one file, no script, nothing fetched. The most valuable comes first. */
export function healthPage(content: PageContent): string {
  const { answer, place, version, now } = content;
  const cards = [
    canaryCard,
    ledgerCard,
    waitingCard,
    backupCard,
    breakerCard,
    growthCard,
    daysCard,
    operationsCard,
    incidentsCard,
    integrityCard,
    selfTestCard,
    checksCard,
  ];
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'unsafe-inline'"
        />
        <title>${answer.status}: Holdfast health</title>
        <style>
          ${new Markup(PAGE_STYLE)}
        </style>
      </head>
      <body>
        <main>
          ${verdictBanner(content)}
          <div class="cards">${cards.map((card) => card(content))}</div>
          <footer>${place} · Holdfast ${version} · written ${moment(now)}</footer>
        </main>
      </body>
    </html> `.text;
}
