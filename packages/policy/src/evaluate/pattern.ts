import { RE2JS, RE2JSException } from "re2js";

/** A text's first UTF-16 units that a pattern is looked for in. */
export const PATTERN_INPUT_MAX = 16_384;
/** Instructions of a compiled pattern; with the input's bound it bounds the time of a search. */
const PROGRAM_MAX = 1_000;

/** What is wrong with a pattern, for a person. */
export class PatternFault extends Error {
  override name = "PatternFault";
  readonly expected: string;

  constructor(message: string, expected: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.expected = expected;
  }
}

const compiled = new Map<string, RE2JS>();
const COMPILED_MAX = 20_000;

/**
 * Compiles a pattern of RE2's syntax, whose search takes time linear in the text.
 * @throws PatternFault
 */
export function compilePattern(pattern: string): RE2JS {
  const known = compiled.get(pattern);
  if (known !== undefined) return known;
  const made = compile(pattern);
  if (compiled.size < COMPILED_MAX) compiled.set(pattern, made);
  return made;
}

function compile(pattern: string): RE2JS {
  let made: RE2JS;
  try {
    made = RE2JS.compile(pattern);
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    throw explained(pattern, error);
  }
  if (made.programSize() > PROGRAM_MAX)
    throw new PatternFault("the pattern is too large", "fewer or smaller repetitions");
  return made;
}

function explained(pattern: string, error: Error): PatternFault {
  if (/\(\?(=|!|<=|<!)/.test(pattern))
    return new PatternFault(
      "lookaround is not supported, since its search can take for ever",
      "two conditions instead, one of them with negate: true",
      error,
    );
  if (/\\([1-9]|k[<{'])/.test(pattern))
    return new PatternFault(
      "backreferences are not supported, since their search can take for ever",
      "RE2 syntax",
      error,
    );
  const why = error.message.replace(/^error parsing regexp: /, "");
  return new PatternFault(`not a pattern: ${why}`, "RE2 syntax", error);
}
