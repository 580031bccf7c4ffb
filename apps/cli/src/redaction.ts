import type { Config } from "@holdfast/config";
import { HoldfastError } from "@holdfast/core";
import type { RE2JS } from "re2js";
import type { NamedPattern, Redactor } from "@holdfast/memory/capture";

/**
 * What takes secrets out, as configured.
 * @throws HoldfastError `CONFIG_INVALID` for an expression that RE2 does not know.
 */
export async function redactorOf({ redaction }: Config): Promise<Redactor> {
  const { createRedactor } = await import("@holdfast/memory/capture");
  const configured = Object.entries(redaction.patterns);
  return createRedactor({
    highEntropy: redaction.high_entropy,
    patterns: configured.length === 0 ? [] : await namedPatterns(configured),
  });
}

async function namedPatterns(configured: readonly [string, string][]): Promise<NamedPattern[]> {
  const { RE2JS: engine } = await import("re2js");
  return configured.map(([name, expression]) => {
    const compiled = compile(engine, name, expression);
    return {
      name,
      replaceAll: (text, replacement) => {
        const parts: string[] = [];
        const matcher = compiled.matcher(text);
        let end = 0;
        while (matcher.find()) {
          // An empty match marks nothing.
          if (matcher.end() === matcher.start()) continue;
          parts.push(text.slice(end, matcher.start()));
          end = matcher.end();
        }
        return { text: [...parts, text.slice(end)].join(replacement), count: parts.length };
      },
    };
  });
}

function compile(engine: typeof RE2JS, name: string, expression: string): RE2JS {
  try {
    return engine.compile(expression);
  } catch (error) {
    throw new HoldfastError(
      `redaction.patterns.${name} is no regular expression that RE2 knows: ${(error as Error).message}`,
      {
        code: "CONFIG_INVALID",
        hint: "RE2 has neither lookaround nor backreferences; write it without.",
        cause: error,
      },
    );
  }
}
