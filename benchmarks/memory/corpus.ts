import { type Random, seededRandom } from "@holdfast/core";

const VOCABULARY = 30_000;
const SENTENCE_WORDS_MIN = 8;
const SENTENCE_WORDS_MAX = 24;
/** English by frequency: what a made-up text shares with a real one is its commonest words. */
const COMMON =
  "the of and to in a is that for it as was with be by on not he his but at are this have from or had an they which one you were all her she there would their we him been has when who will no more if out so up said what its about than into them can only other time new some could these two may first then do any like my now over such our man me even most made after also did many must before back see through way where get much go well your know should down work year because come people just say each those take day good how long make own too little use very still being here between both under never same another while last might us great old off since against right came take three states himself house during without again place around however home small found mrs thought went part once general high upon school every left always world".split(
    " ",
  );
const SYLLABLES =
  "ba be bi bo ca ce co cu da de di do fa fe fi ga ge go ha he ho in is ja ka ke ki la le li lo ma me mi mo na ne ni no or pa pe pi po qua ra re ri ro sa se si so ta te ti to ur va ve vi wa we ya ze".split(
    " ",
  );

export interface Question {
  text: string;
  /** The sentence that is asked for. */
  about: string;
}

/** Seeded sentences whose words are Zipf-distributed, and questions about them. */
export class Corpus {
  readonly #random: Random;
  readonly #words: string[];
  /** Cumulative probability of the words, commonest first. */
  readonly #cumulative: Float64Array;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    this.#words = this.#vocabulary();
    let sum = 0;
    this.#cumulative = Float64Array.from(this.#words, (_, rank) => (sum += 1 / (rank + 1)));
    this.#cumulative.forEach((value, rank) => (this.#cumulative[rank] = value / sum));
  }

  sentence(): string {
    const span = SENTENCE_WORDS_MAX - SENTENCE_WORDS_MIN + 1;
    const length = SENTENCE_WORDS_MIN + Math.floor(this.#random.next() * span);
    const words = Array.from({ length }, () => this.#word());
    return `${words.join(" ")}.`;
  }

  sentences(count: number): string[] {
    return Array.from({ length: count }, () => this.sentence());
  }

  /** Questions about sentences drawn from `sentences`: some of their words between usual ones. */
  questions(count: number, sentences: readonly string[]): Question[] {
    return Array.from({ length: count }, () => {
      const about = pick(sentences, this.#random);
      const words = about.slice(0, -1).split(" ");
      const chosen = Array.from({ length: 2 + Math.floor(this.#random.next() * 4) }, () =>
        pick(words, this.#random),
      );
      return { text: `what did they say about ${chosen.join(" ")} and when was it?`, about };
    });
  }

  #vocabulary(): string[] {
    const words = new Set(COMMON);
    while (words.size < VOCABULARY) {
      const length = 2 + Math.floor(this.#random.next() * 3);
      words.add(Array.from({ length }, () => pick(SYLLABLES, this.#random)).join(""));
    }
    return [...words];
  }

  #word(): string {
    const wanted = this.#random.next();
    let [low, high] = [0, this.#words.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#cumulative[middle] ?? 1) < wanted) low = middle + 1;
      else high = middle;
    }
    return this.#words[low] as string;
  }
}

function pick<T>(values: readonly T[], random: Random): T {
  return values[Math.floor(random.next() * values.length)] as T;
}
