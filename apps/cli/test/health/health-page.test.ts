import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { healthPage } from "../../src/health/page/health-page.ts";
import { troubled } from "./page-fixture.ts";

const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find((path) =>
  existsSync(path),
);
/** It looks for its maker's hosts otherwise. */
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const DESKTOP = { width: 1200, height: 900 };
const PHONE = { width: 360, height: 740 };

const whenChromium = CHROMIUM === undefined ? describe.skip : describe;

whenChromium("the health page in a browser, where Debian's chromium is installed", () => {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-page-"));
  const file = join(folder, "health.html");
  let browser: Browser;

  beforeAll(async () => {
    writeFileSync(file, healthPage(troubled()));
    browser = await chromium.launch({ executablePath: CHROMIUM ?? "", args: FLAGS });
  });

  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true });
  });

  async function open(
    options: Parameters<Browser["newPage"]>[0],
  ): Promise<{ page: Page; asked: string[]; errors: string[] }> {
    const page = await browser.newPage(options);
    const asked: string[] = [];
    const errors: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    page.on("console", (message) => errors.push(message.text()));
    page.on("pageerror", (error) => errors.push(String(error)));
    await page.goto(pathToFileURL(file).href);
    return { page, asked, errors };
  }

  test("asks for nothing but itself, and runs nothing of what it quotes", async () => {
    const { page, asked, errors } = await open({ viewport: DESKTOP });
    expect(asked).toEqual([pathToFileURL(file).href]);
    expect(errors).toEqual([]);
    expect(await page.title()).toBe("unhealthy: Holdfast health");
    expect(await page.locator("main script").count()).toBe(0);
    await expect(page.locator(".verdict").innerText()).resolves.toContain("<script>");
  });

  test("says the most valuable first: verdict, cause, next command, age of the evidence", async () => {
    const { page } = await open({ viewport: DESKTOP });
    const verdict = await page.locator(".verdict").innerText();
    expect(verdict).toMatch(/^unhealthy\n+canary: canary says/);
    expect(verdict).toContain("holdfast memory recover --dry-run");
    expect(verdict).toMatch(/Evidence 4 s old.*\n?.*2026-05-01 12:01:26 UTC/);
    const order = await page
      .locator("section[id]")
      .evaluateAll((sections) => sections.map(({ id }) => id));
    expect(order.join(" ")).toBe(
      "canary ledger backlog backup breaker growth days operations incidents integrity self-test checks",
    );
  });

  test("shows every element with what it knows", async () => {
    const { page } = await open({ viewport: DESKTOP });
    const textOf = (id: string): Promise<string> => page.locator(`#${id}`).innerText();
    expect(await textOf("ledger")).toContain("= 5 stored + 2 queued + 1 dead + 0 discarded");
    expect(await textOf("ledger")).toContain("Unaccounted for: 2 accepted writes");
    expect(await textOf("backlog")).toContain("holdfast memory outbox retry");
    expect(await textOf("breaker")).toContain("next probe in 42 s");
    expect(await textOf("backup")).toContain("no restore was ever tried");
    expect(await textOf("operations")).toContain("error budget left: -25 %");
    expect(await textOf("growth")).toContain("full in 100 d");
    expect(await textOf("incidents")).toContain("20260501-1");
    const states = await page
      .locator(".days li")
      .evaluateAll((items) => items.map(({ className }) => className));
    expect(states).toHaveLength(90);
    expect(states.filter((state) => state === "none")).toHaveLength(30);
    expect([states[50], states[60], states[70]]).toEqual([
      "mixed incident",
      "bad",
      "good deployment",
    ]);
  });

  test.each([
    ["light", "light", DESKTOP],
    ["dark", "dark", DESKTOP],
    ["phone", "light", PHONE],
    ["phone-dark", "dark", PHONE],
  ] as const)("%s: fits its width, and its text stands out", async (name, scheme, viewport) => {
    const { page } = await open({ colorScheme: scheme, viewport });
    const picture = join(process.env["HOLDFAST_TEST_SCREENSHOTS"] ?? folder, `health-${name}.png`);
    await page.screenshot({ path: picture, fullPage: true });
    expect(statSync(picture).size).toBeGreaterThan(10_000);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(viewport.width);
    const contrasts = await page.evaluate(CONTRASTS);
    expect(contrasts).not.toEqual([]);
    // WCAG 2.2, 1.4.3: 4.5 for text.
    for (const { text, ratio } of contrasts as { text: string; ratio: number }[])
      expect({ text, ratio: Math.max(ratio, 4.5) }).toEqual({ text, ratio });
  });
});

/** The contrast of each text with the nearest painted background, by WCAG's relative luminance. */
const CONTRASTS = `(() => {
  const rgb = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const luminance = (colour) => {
    const [r, g, b] = rgb(colour).slice(0, 3).map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const paperOf = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if ((rgb(colour)[3] ?? 1) > 0) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  return [...document.querySelectorAll("h1, h2, p, td, th, code, span")]
    .filter((element) => element.innerText.trim() !== "")
    .map((element) => {
      const pair = [luminance(getComputedStyle(element).color), luminance(paperOf(element))];
      const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
      return { text: element.innerText.slice(0, 40), ratio };
    });
})()`;
