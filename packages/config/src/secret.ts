import { readFileSync } from "node:fs";
import { ConfigError } from "./config-error.ts";
import type { SecretReference } from "./config-schema.ts";
import type { Environment } from "./interpolate.ts";

const SECRET_KEY =
  /(^|[._-])(headers?\.[^.]+$|options\.|token|secret|pass(word|wd|phrase)?|api[_-]?key|authorization|credentials?|private)/i;

const URL_PASSWORD = /(\w+:\/\/[^\s:/@]*):[^\s@/]+@/g;

/** Whether text under this key may be a secret, and so is not shown. */
const isSecretPath = (path: string): boolean => SECRET_KEY.test(path);

/** A key's value for people: without text that may be a secret by its key, and without URLs' passwords. */
export function shownValue(path: string, value: unknown): unknown {
  if (typeof value === "string")
    return isSecretPath(path) ? "(not shown)" : value.replace(URL_PASSWORD, "$1:…@");
  if (Array.isArray(value)) return value.map((item) => shownValue(path, item));
  if (typeof value !== "object" || value === null || isReference(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, shownValue(`${path}.${key}`, item)]),
  );
}

/** `{env: NAME}` or `{file: PATH}`: itself no secret. */
function isReference(value: object): boolean {
  const [key = "", ...more] = Object.keys(value);
  return more.length === 0 && ["env", "file"].includes(key);
}

/**
 * What a reference stands for; of a file, its text without the line break at its end.
 * @throws ConfigError `SECRET_UNAVAILABLE`, naming the reference and never a content.
 */
export function readSecret(reference: SecretReference, environment: Environment): string {
  if (reference.env !== undefined) {
    const value = Object.hasOwn(environment, reference.env)
      ? environment[reference.env]
      : undefined;
    if (value !== undefined && value !== "") return value;
    throw new ConfigError(`The secret {env: ${reference.env}} is not set`, {
      code: "SECRET_UNAVAILABLE",
      hint: `Set it for this command: export ${reference.env}=…`,
    });
  }
  const file = reference.file ?? "";
  try {
    const text = readFileSync(file, "utf8").replace(/\r?\n$/, "");
    if (text !== "") return text;
  } catch (error) {
    throw unavailable(file, (error as Error).message, error);
  }
  throw unavailable(file, "it is empty");
}

function unavailable(file: string, why: string, cause?: unknown): ConfigError {
  return new ConfigError(`The secret {file: ${file}} cannot be read: ${why}`, {
    code: "SECRET_UNAVAILABLE",
    hint: `Put the secret into ${file}, readable by you alone (chmod 600).`,
    cause,
  });
}
