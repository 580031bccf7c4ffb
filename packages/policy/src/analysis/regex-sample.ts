/** How many texts are made of one pattern, and how long each may be. */
const SAMPLES_MAX = 8;
const LENGTH_MAX = 2_000;

/**
 * Texts that a pattern in RE2 syntax should be found in. They are guesses: whoever needs certainty
 * asks the matcher. None for what this does not understand.
 */
export function regexSamples(pattern: string): string[] {
  try {
    const samples = new Sampler(pattern).whole();
    return [...new Set(samples)].filter((sample) => sample.length <= LENGTH_MAX);
  } catch (error) {
    if (error instanceof NotUnderstood) return [];
    throw error;
  }
}

class NotUnderstood extends Error {}

const CLASS_SAMPLE: Readonly<Record<string, string>> = {
  d: "0",
  w: "a",
  s: " ",
  D: "a",
  W: " ",
  S: "a",
};
const ESCAPED: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", f: "\f", v: "\v" };
/** Tried in turn for a class that says what is not in it. */
const ORDINARY = "a0 A_-~\u00e9\u4e00";

/** Recursive descent over the pattern; each part answers with a few texts that it matches. */
class Sampler {
  readonly #pattern: string;
  #at = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  whole(): string[] {
    const samples = this.#alternatives();
    if (this.#at < this.#pattern.length) throw new NotUnderstood();
    return samples;
  }

  #alternatives(): string[] {
    const samples = this.#sequence();
    while (this.#take("|")) samples.push(...this.#sequence());
    return samples.slice(0, SAMPLES_MAX);
  }

  #sequence(): string[] {
    let samples = [""];
    for (;;) {
      const next = this.#pattern[this.#at];
      if (next === undefined || next === "|" || next === ")") return samples;
      const repeated = this.#repeated(this.#atom());
      samples = samples
        .flatMap((start) => repeated.map((end) => start + end))
        .slice(0, SAMPLES_MAX)
        .map((text) => text.slice(0, LENGTH_MAX + 1));
    }
  }

  #repeated(atom: string[]): string[] {
    let samples = atom;
    for (;;) {
      if (this.#take("*") || this.#take("?")) samples = [...samples, ""];
      else if (this.#take("+")) samples = [...samples];
      else {
        const [all, least] = /^\{(\d+)(?:,\d*)?\}/.exec(this.#pattern.slice(this.#at)) ?? [];
        if (all === undefined) return samples;
        this.#at += all.length;
        const times = Number(least);
        samples = samples.map((text) => text.repeat(Math.min(times, LENGTH_MAX + 1)));
      }
      this.#take("?"); // Lazy or greedy, it matches the same texts.
    }
  }

  #atom(): string[] {
    const character = this.#next();
    if (character === "(") return this.#group();
    if (character === "[") return [this.#class()];
    if (character === ".") return ["a"];
    if (character === "^" || character === "$") return [""];
    if (character === "\\") return [this.#escape()];
    return [character];
  }

  #group(): string[] {
    const [all] = /^\?(?:P?<\w+>|[imsU-]*:)/.exec(this.#pattern.slice(this.#at)) ?? [];
    if (all !== undefined) this.#at += all.length;
    else if (this.#pattern[this.#at] === "?") return this.#flags();
    const samples = this.#alternatives();
    if (!this.#take(")")) throw new NotUnderstood();
    return samples;
  }

  /** `(?i)`: what matches without it matches with it; other flags are for the matcher to judge. */
  #flags(): string[] {
    const [all] = /^\?[imsU-]+\)/.exec(this.#pattern.slice(this.#at)) ?? [];
    if (all === undefined) throw new NotUnderstood();
    this.#at += all.length;
    return [""];
  }

  #escape(): string {
    const character = this.#next();
    const known = CLASS_SAMPLE[character] ?? ESCAPED[character];
    if (known !== undefined) return known;
    if ("bAzB".includes(character)) return "";
    // \p{Greek}, \x41, \Q…\E and their like.
    if (/[\p{L}\p{N}]/u.test(character)) throw new NotUnderstood();
    return character;
  }

  #class(): string {
    const isNegated = this.#take("^");
    const ranges: [from: string, to: string][] = [];
    for (let first = true; first || this.#pattern[this.#at] !== "]"; first = false) {
      const from = this.#classMember();
      if (this.#pattern[this.#at] === "-" && this.#pattern[this.#at + 1] !== "]") {
        this.#at += 1;
        ranges.push([from, this.#classMember()]);
      } else ranges.push([from, from]);
    }
    this.#at += 1;
    if (!isNegated) return ranges[0]?.[0] ?? "";
    const free = Array.from(ORDINARY).find(
      (each) => !ranges.some(([from, to]) => each >= from && each <= to),
    );
    if (free === undefined) throw new NotUnderstood();
    return free;
  }

  #classMember(): string {
    const character = this.#next();
    if (character === "[") throw new NotUnderstood(); // [[:alpha:]]
    return character === "\\" ? this.#escape() : character;
  }

  #next(): string {
    const character = String.fromCodePoint(this.#pattern.codePointAt(this.#at) ?? 0);
    if (this.#at >= this.#pattern.length) throw new NotUnderstood();
    this.#at += character.length;
    return character;
  }

  #take(character: string): boolean {
    if (this.#pattern[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }
}
