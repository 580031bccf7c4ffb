import { describe, expect, test } from "@jest/globals";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { EXIT } from "../src/exit-codes.ts";
import { describeProgram } from "./reference/described-command.ts";
import { renderManPage } from "./reference/render-man-page.ts";
import { renderMarkdown } from "./reference/render-markdown.ts";

const ROOT = join(import.meta.dirname, "../../..");
const MARKDOWN = join(ROOT, "docs/cli.md");
const MAN_PAGE = join(ROOT, "apps/cli/man/holdfast.1");

/** `UPDATE_REFERENCE=1` writes the file instead, after a command has changed. */
function written(file: string, text: string): string {
  if (process.env["UPDATE_REFERENCE"] === "1") writeFileSync(file, text);
  return readFileSync(file, "utf8");
}

describe("the reference says what the commands' own help says", () => {
  test("docs/cli.md", async () => {
    const text = renderMarkdown(await describeProgram());
    expect(written(MARKDOWN, text)).toBe(text);
  });

  test("the manual page", async () => {
    const page = renderManPage(await describeProgram());
    expect(written(MAN_PAGE, page)).toBe(page);
    for (const status of Object.values(EXIT)) expect(page).toMatch(new RegExp(`\\b${status}\\b`));
  });

  test("every command shows an example, and describes each of its options", async () => {
    const { commands } = await describeProgram();
    for (const { name, examples, options } of commands) {
      expect({ name, examples: examples.length }).not.toEqual({ name, examples: 0 });
      for (const [flags, text] of options) expect({ flags, text }).not.toEqual({ flags, text: "" });
      for (const line of examples) expect(line).toContain(`holdfast ${name}`);
    }
  });
});

const groff = spawnSync("groff", ["--version"]).status === 0;

const whenGroff = groff ? describe : describe.skip;

whenGroff("groff, on PATH as Debian's package groff installs it", () => {
  test("reads the manual page without a warning", () => {
    const { status, stderr } = spawnSync("groff", ["-man", "-Tutf8", "-ww", MAN_PAGE], {
      encoding: "utf8",
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });
});
