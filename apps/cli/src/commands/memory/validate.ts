import { existsSync, readFileSync } from "node:fs";
import { relative, resolve } from "node:path";
import { type Command, Option } from "commander";
import {
  type Config,
  configSchema,
  type Finding,
  readConfigFile,
  validateConfig,
} from "@holdfast/config";
import { parseYaml, YamlError } from "@holdfast/document";
import type { Context } from "../../context.ts";
import { EXIT } from "../../exit-codes.ts";
import { findingText } from "../../findings/finding-text.ts";
import { example } from "../../help.ts";
import { usage } from "../../selection.ts";
import { version } from "../../start.ts";
import { counted } from "../../counted.ts";

const FORMATS = ["text", "json", "sarif", "github"] as const;

interface ValidateOptions {
  strict?: boolean;
  format?: (typeof FORMATS)[number];
}

export function register(command: Command, context: Context): void {
  command
    .argument("<file>", "a configuration, or a policy document")
    .option(
      "--strict",
      "look at what it names too: folders, disks, programs, secrets, the server, policies; warnings count",
    )
    .addOption(
      new Option("--format <format>", "sarif for code scanners, github for its Actions").choices(
        FORMATS,
      ),
    )
    .action((file: string, options: ValidateOptions) => validate(file, options, context));
  example(command, [
    "holdfast memory validate holdfast.yaml --strict",
    "holdfast memory validate policies/keep.yaml --format github",
  ]);
}

interface Validated {
  kind: "config" | "policy";
  findings: readonly Finding[];
  texts: ReadonlyMap<string, string>;
}

async function validate(name: string, options: ValidateOptions, context: Context): Promise<void> {
  const { output, workingDirectory } = context;
  const { strict = false, format } = options;
  if (output.json && format !== undefined && format !== "json")
    throw usage(`--json and --format ${format} cannot both be had`, "Leave one of them out.");
  const file = resolve(workingDirectory, name);
  const { kind, findings, texts } = await check(file, strict, context);
  const counts = { error: 0, warning: 0, note: 0 };
  for (const { severity } of findings) counts[severity] += 1;
  const valid = counts.error === 0 && !(strict && counts.warning > 0);
  if (!valid) context.exitStatus = EXIT.findings;
  const data = { file, kind, valid, strict, counts, findings };
  const text = async (): Promise<string> => {
    if (format === "json") return JSON.stringify(data, null, 2);
    if (format === "sarif") {
      const { sarif } = await import("../../findings/sarif.ts");
      return JSON.stringify(sarif(findings, workingDirectory, version()), null, 2);
    }
    if (format === "github") {
      const { githubCommands } = await import("../../findings/github.ts");
      return githubCommands(findings, workingDirectory);
    }
    const told = findingText(findings, texts, output);
    const sum = summary(relative(workingDirectory, file) || name, { valid, strict, counts });
    return told === "" ? sum : `${told}\n\n${sum}`;
  };
  output.result(data, await text());
}

async function check(file: string, strict: boolean, context: Context): Promise<Validated> {
  const text = readConfigFile(file);
  if (!looksLikeConfig(text)) {
    const { checkPolicyText, isPolicyText } = await import("@holdfast/policy");
    if (isPolicyText(text))
      return {
        kind: "policy",
        findings: checkPolicyText(text, { file }),
        texts: new Map([[file, text]]),
      };
  }
  const { environment } = context;
  const { findings, texts, config } = await validateConfig(text, { file, environment, strict });
  const policies = strict && config !== undefined ? await checkPolicies(config) : undefined;
  return {
    kind: "config",
    findings: [...findings, ...(policies?.findings ?? [])],
    texts: new Map([...texts, ...(policies?.texts ?? [])]),
  };
}

/** The policies that would be in force with a configuration: while one is wrong, nothing passes. */
async function checkPolicies({
  policies: { enabled, directory },
}: Config): Promise<Omit<Validated, "kind"> | undefined> {
  if (!enabled || !existsSync(directory)) return undefined;
  const { readPolicies } = await import("@holdfast/policy");
  const { findings } = readPolicies(directory);
  const files = new Set(findings.map(({ file }) => file));
  return { findings, texts: new Map([...files].map((file) => [file, readFileSync(file, "utf8")])) };
}

/** Whether it states a section, or nothing: then the policy engine need not be loaded to ask. */
function looksLikeConfig(text: string): boolean {
  try {
    const root = parseYaml(text);
    if (root.kind !== "map") return false;
    const keys = [...root.entries.keys()];
    return keys.length === 0 || keys.some((key) => Object.hasOwn(configSchema.properties, key));
  } catch (error) {
    if (error instanceof YamlError) return false;
    throw error;
  }
}

interface Summary {
  valid: boolean;
  strict: boolean;
  counts: Readonly<Record<Finding["severity"], number>>;
}

function summary(file: string, { valid, strict, counts }: Summary): string {
  const told = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([severity, count]) => counted(count, severity))
    .join(", ");
  const verdict = valid ? "is valid" : "is not valid";
  const how = strict && valid ? ", and so is what it names" : "";
  return `${file} ${verdict}${how}${told === "" ? "" : `: ${told}`}`;
}
