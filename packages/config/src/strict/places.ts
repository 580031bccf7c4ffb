import type { PathSchema } from "../completed.ts";
import { configSchema } from "../config-schema.ts";
import { schemaOf } from "../layers/merge.ts";

/** Every value of a configuration, with its path and its schema; a secret is one value. */
export function* placesIn(
  value: unknown,
  schema: PathSchema = configSchema,
  path = "",
): Generator<{ path: string; value: unknown; schema: PathSchema }> {
  const reference = schema.maxProperties === 1;
  if (reference || typeof value !== "object" || value === null) yield { path, value, schema };
  else if (Array.isArray(value))
    for (const [index, item] of value.entries())
      yield* placesIn(item, schema.items ?? {}, `${path}[${index}]`);
  else
    for (const [key, below] of Object.entries(value))
      yield* placesIn(below, schemaOf(schema, key) ?? {}, path === "" ? key : `${path}.${key}`);
}
