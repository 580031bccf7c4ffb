import { CREDENTIAL_PATTERNS } from "./credential-patterns.ts";
import { randomRuns } from "./random-text.ts";
import { senseOfName, wordsOf } from "./secret-names.ts";
import { PROVIDER_PATTERNS, type SecretPattern } from "./secret-patterns.ts";

export interface RedactorOptions {
  /**
   * Further secrets: each is searched for everywhere, and taken out as `[redacted:name]`. An
   * `expression` of the caller's own must be linear in time; the command line gives RE2's.
   */
  patterns?: readonly NamedPattern[];
  /** Take out strings that look random, whatever stands around them. Default true. */
  highEntropy?: boolean;
}

export interface NamedPattern {
  name: string;
  /** Replaces all matches by `replacement`, and says how many there were. */
  replaceAll(text: string, replacement: string): { text: string; count: number };
}

export interface Redaction {
  text: string;
  /** How many secrets were taken out. */
  count: number;
  /** Their kinds, each once. */
  kinds: readonly string[];
}

/** Takes secrets out of text; `[redacted:kind]` stands where one was. Idempotent. Never throws. */
export interface Redactor {
  redact(text: string): Redaction;
  /** A value that has a name: under `password`, all of it is a secret. */
  redactValue(name: string, value: string): Redaction;
  /** As `redact`, but keeps what is only random: for identifiers, which are so by nature. */
  redactNamed(text: string): Redaction;
}

/** The mark that takes a secret's place. */
export function redactionMark(kind: string): string {
  return `[redacted:${kind}]`;
}

/** Finds secrets by form, by what stands around them, by configuration, and by their randomness. */
export function createRedactor(options: RedactorOptions = {}): Redactor {
  const { patterns = [], highEntropy = true } = options;
  const run = (text: string, random: boolean): Redaction => {
    const found = new Findings(text);
    for (const pattern of patterns) found.named(pattern);
    for (const pattern of PROVIDER_PATTERNS) found.pattern(pattern);
    for (const pattern of CREDENTIAL_PATTERNS) found.pattern(pattern);
    if (random && highEntropy) found.random();
    return found.result();
  };
  return {
    redact: (text) => run(text, true),
    redactNamed: (text) => run(text, false),
    redactValue: (name, value) => {
      const marked = /^\[redacted:[\w-]+\]$/.test(value);
      if (senseOfName(name) !== undefined && value !== "" && !marked)
        return { text: redactionMark("pair"), count: 1, kinds: ["pair"] };
      return run(value, !isIdentifierName(name));
    },
  };
}

const IDENTIFIER_WORDS = new Set(
  "id ids uuid hash sha checksum digest etag cursor fingerprint revision commit ref integrity".split(
    " ",
  ),
);

function isIdentifierName(name: string): boolean {
  return IDENTIFIER_WORDS.has(wordsOf(name).at(-1) ?? "");
}

class Findings {
  #text: string;
  #count = 0;
  readonly #kinds = new Set<string>();

  constructor(text: string) {
    this.#text = text;
  }

  result(): Redaction {
    return { text: this.#text, count: this.#count, kinds: [...this.#kinds] };
  }

  named(pattern: NamedPattern): void {
    const { text, count } = pattern.replaceAll(this.#text, redactionMark(pattern.name));
    if (count === 0) return;
    this.#text = text;
    this.#note(pattern.name, count);
  }

  pattern({ kind, hints, expression, accepts }: SecretPattern): void {
    if (hints.length > 0 && !hints.some((hint) => this.#text.includes(hint))) return;
    const mark = redactionMark(kind);
    this.#text = this.#text.replace(expression, (...match: unknown[]) => {
      const whole = match[0] as string;
      const groups = (typeof match.at(-1) === "object" ? match.at(-1) : {}) as Record<
        string,
        string | undefined
      >;
      const secret = groups["secret"] ?? groups["secret2"] ?? groups["secret3"] ?? whole;
      if (secret.startsWith("[redacted:") || accepts?.(groups) === false) return whole;
      this.#note(kind, 1);
      const at = whole.lastIndexOf(secret);
      return whole.slice(0, at) + mark + whole.slice(at + secret.length);
    });
  }

  random(): void {
    const runs = randomRuns(this.#text);
    if (runs.length === 0) return;
    let end = 0;
    let text = "";
    for (const { at, run } of runs) {
      text += this.#text.slice(end, at) + redactionMark("high-entropy");
      end = at + run.length;
    }
    this.#text = text + this.#text.slice(end);
    this.#note("high-entropy", runs.length);
  }

  #note(kind: string, count: number): void {
    this.#count += count;
    this.#kinds.add(kind);
  }
}
