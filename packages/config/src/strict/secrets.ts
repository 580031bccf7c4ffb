import { ConfigError } from "../config-error.ts";
import type { SecretReference } from "../config-schema.ts";
import { readSecret } from "../secret.ts";
import type { CheckedConfig, EnvironmentFinding } from "./environment-check.ts";
import { placesIn } from "./places.ts";

/** Every secret that is referred to can be read. */
export function secretsAreThere({ config, environment }: CheckedConfig): EnvironmentFinding[] {
  return [...placesIn(config)].flatMap(({ path, value, schema }) => {
    const names = Object.keys(schema.properties ?? {});
    const isSecret = schema.maxProperties === 1 && names.includes("env") && names.includes("file");
    if (!isSecret || typeof value !== "object") return [];
    const why = unreadable(value as SecretReference, environment);
    return why === undefined
      ? []
      : [{ rule: "secret-available", path, message: why, expected: "a secret that is there" }];
  });
}

function unreadable(
  reference: SecretReference,
  environment: CheckedConfig["environment"],
): string | undefined {
  try {
    readSecret(reference, environment);
    return undefined;
  } catch (error) {
    if (error instanceof ConfigError) return `names what is not there: ${error.message}`;
    throw error;
  }
}
