import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { type LoadedConfig, readConfigFile } from "@holdfast/config";
import { parseYaml, plainData, YamlError } from "@holdfast/document";
import { HoldfastError } from "@holdfast/core";
import { createRedactor } from "@holdfast/memory";
import { dump } from "js-yaml";

/** A file that a backup carries along as text. */
export interface Attachment {
  file: string;
  text: string;
}

/**
 * The configuration file as it is written, references and all; what is a secret in it is taken out
 * and named. Undefined for the built-in defaults.
 */
export function configurationOf(
  loaded: LoadedConfig,
): (Attachment & { secrets: readonly string[] }) | undefined {
  if (loaded.file === undefined) return undefined;
  const text = readConfigFile(loaded.file);
  const secrets: string[] = [];
  const clean = withoutSecrets(dataOf(loaded.file, text), "", secrets);
  return {
    file: basename(loaded.file),
    // Untouched as long as it can be, with its comments.
    text: secrets.length === 0 && !hasSecretComment(text) ? text : dump(clean, { noRefs: true }),
    secrets,
  };
}

/** Every policy file of the workspace, and their suites of tests. */
export function policiesOf(loaded: LoadedConfig): Attachment[] {
  const folder = loaded.config.policies.directory;
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /^[^.].*\.(ya?ml|json)$/i.test(name))
    .toSorted()
    .map((name) => attachment(folder, name));
}

/** A policy may name a webhook's secret, too. */
function attachment(folder: string, name: string): Attachment {
  const text = policyText(join(folder, name));
  const secrets: string[] = [];
  const clean = withoutSecrets(dataOf(join(folder, name), text), "", secrets);
  const isClean = secrets.length === 0 && !hasSecretComment(text);
  const written = /\.json$/i.test(name)
    ? `${JSON.stringify(clean, undefined, 2)}\n`
    : dump(clean, { noRefs: true });
  return { file: `policies/${name}`, text: isClean ? text : written };
}

function policyText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new HoldfastError(`${path} cannot be read: ${(error as Error).message}`, {
      code: "POLICY_UNREADABLE",
      hint: "Make it a file that is readable by you, or move it away.",
      cause: error,
    });
  }
}

const redactor = createRedactor({ highEntropy: false });

/** Secrets may be quoted in comments, which are no part of the data. */
function hasSecretComment(text: string): boolean {
  return text.split("\n").some((line) => {
    const at = line.search(/(^|\s)#/);
    return at !== -1 && redactor.redact(line.slice(at)).count > 0;
  });
}

function dataOf(path: string, text: string): unknown {
  try {
    return plainData(parseYaml(text));
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    throw new HoldfastError(`${path} cannot be backed up: ${error.message}`, {
      code: "CONFIG_INVALID",
      hint: "Correct it first, or leave it out.",
      cause: error,
    });
  }
}

/** Plain text where a secret belongs becomes a reference that says which one is missing. */
function withoutSecrets(value: unknown, path: string, secrets: string[]): unknown {
  if (Array.isArray(value))
    return value.map((item, at) => withoutSecrets(item, `${path}[${at}]`, secrets));
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [
        key,
        withoutSecrets(item, path === "" ? key : `${path}.${key}`, secrets),
      ]),
    );
  if (typeof value !== "string" || !isSecret(path, value)) return value;
  secrets.push(path);
  const words = path.split(/[^A-Za-z0-9]+/).filter((word) => word !== "");
  const name = `HOLDFAST_${words.join("_").toUpperCase()}`;
  // Where text was, a reference within text is valid; a header may be any reference.
  return isHeader(path) ? { env: name } : `\${${name}}`;
}

const isHeader = (path: string): boolean => path.split(".").at(-2) === "headers";

function isSecret(path: string, value: string): boolean {
  const keys = path.split(".");
  const key = keys.at(-1) ?? "";
  const isReference = key === "env" || key === "file";
  if (isReference || /^\$\{[^}]*\}$/.test(value)) return false;
  // A header's value is as good as a password, and so may a URL's query be.
  if (isHeader(path) || (key === "url" && value.includes("?"))) return true;
  return redactor.redactValue(key, value).count > 0 || redactor.redact(value).count > 0;
}
