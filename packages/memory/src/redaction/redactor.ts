import { CREDENTIAL_PATTERNS, valueOf } from "./credential-patterns.ts";
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

export const REDACTOR_DEFAULTS = { highEntropy: true } as const;

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
function redactionMark(kind: string): string {
  return `[redacted:${kind}]`;
}

/** A few letters: shorter than any key, and without what a pair, a flag or a password has. */
const PLAIN = /^[A-Za-z_ ]{0,15}$/;

/** Finds secrets by form, by what stands around them, by configuration, and by their randomness. */
export function createRedactor(options: RedactorOptions = {}): Redactor {
  const { patterns = [], highEntropy = REDACTOR_DEFAULTS.highEntropy } = options;
  const run = (text: string, random: boolean): Redaction => {
    if (patterns.length === 0 && PLAIN.test(text)) return { text, count: 0, kinds: [] };
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

type Groups = Readonly<Record<string, string | undefined>>;

/** A match with the value that belongs to its name; undefined when its name is none of a secret. */
function completed(
  match: RegExpExecArray,
  { value }: SecretPattern,
  text: string,
): { whole: string; groups: Groups } | undefined {
  const groups: Groups = match.groups ?? {};
  if (value === undefined) return { whole: match[0], groups };
  if (senseOfName(groups["name"] ?? "") === undefined) return undefined;
  value.lastIndex = match.index + match[0].length;
  const rest = value.exec(text);
  if (rest === null) return undefined;
  return { whole: match[0] + rest[0], groups: { ...groups, ...rest.groups } };
}

/** Whether it is, or lies within, the mark of a secret that was taken out before. */
function isMarked(text: string, at: number, secret: string): boolean {
  if (secret.startsWith("[redacted:")) return true;
  const mark = text.lastIndexOf("[redacted:", at);
  return mark !== -1 && at - mark < 100 && text.indexOf("]", mark) >= at;
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

  pattern(pattern: SecretPattern): void {
    if (pattern.hints.length > 0 && !pattern.hints.some((hint) => this.#text.includes(hint)))
      return;
    const { kind, expression, accepts } = pattern;
    const text = this.#text;
    let redacted = "";
    let end = 0;
    expression.lastIndex = 0;
    for (let match = expression.exec(text); match !== null; match = expression.exec(text)) {
      const found = completed(match, pattern, text);
      if (found === undefined || accepts?.(found.groups) === false) continue;
      const secret = valueOf(found.groups) || found.whole;
      const at = match.index + found.whole.lastIndexOf(secret);
      if (isMarked(text, at, secret)) continue;
      redacted += text.slice(end, at) + redactionMark(kind);
      end = at + secret.length;
      expression.lastIndex = match.index + found.whole.length;
      this.#note(kind, 1);
    }
    this.#text = redacted + text.slice(end);
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
