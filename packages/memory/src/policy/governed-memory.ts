import { type Clock, systemClock } from "@holdfast/core";
import {
  type Decider,
  type Effect,
  type EffectHandlers,
  type EffectReport,
  EffectRunner,
  type Evaluation,
  PolicyError,
  type PolicyEvent,
} from "@holdfast/policy";
import { decoratedMemory } from "../decorated-memory.ts";
import type { Memory } from "../memory.ts";
import type {
  AddOptions,
  Filter,
  ForgetOptions,
  ForgetResult,
  MemoryChanges,
  NewMemory,
  Receipt,
  SearchOptions,
  SearchResult,
  UpdateOptions,
  WriteOptions,
} from "../memory-record.ts";
import { ARCHIVED_TAG, type Content, splitChanges } from "./changed-content.ts";
import { type CallUnderWay, type MemoryEffects, memoryEffects } from "./memory-effects.ts";
import { recordsOf } from "./records-of.ts";
import { addEvent, forgetEvent, searchEvent, updateEvent } from "./memory-event.ts";

export interface GovernanceDeps {
  decider: Pick<Decider, "decide" | "ruleset">;
  /** The actions that lead out of the memory. */
  outward: Omit<EffectHandlers, keyof MemoryEffects>;
  /** Told what became of each action, failed ones included: nothing else is. */
  onReport: (report: EffectReport) => void;
  /** Told of each event on which was decided. */
  onDecision?: (event: PolicyEvent, evaluation: Evaluation, now: number) => void;
  clock?: Clock;
}

/** How long closing waits for asynchronous actions, in milliseconds; then they are aborted. */
const CLOSE_WAIT_MS = 10_000;

/**
 * The same memory under policies: before anything is added, changed, recalled or forgotten, the
 * rules decide. What one aborts throws `POLICY_ABORTED` and is not done. Changes to the very
 * memory that is written are part of that write; all other actions follow it, and when one fails
 * the write stands and `onReport` says so. Archived memories are not recalled.
 */
export function governedMemory(memory: Memory, deps: GovernanceDeps): Memory {
  const governed = new Governance(memory, deps);
  return decoratedMemory(memory, {
    add: (text, options) => governed.add(text, options),
    addMany: (items, options) => governed.addMany(items, options),
    update: (id, changes, options) => governed.update(id, changes, options),
    search: (query, options) => governed.search(query, options),
    forget: (selector, options) => governed.forget(selector, options),
    close: () => governed.close(),
    [Symbol.asyncDispose]: () => governed.close(),
  });
}

class Governance {
  readonly #memory: Memory;
  readonly #deps: GovernanceDeps;
  readonly #clock: Clock;
  readonly #runner: EffectRunner;
  readonly #calls = new WeakMap<PolicyEvent, CallUnderWay>();

  constructor(memory: Memory, deps: GovernanceDeps) {
    this.#memory = memory;
    this.#deps = deps;
    this.#clock = deps.clock ?? systemClock;
    this.#runner = new EffectRunner(
      { ...memoryEffects(memory, (event) => this.#calls.get(event)), ...deps.outward },
      { clock: this.#clock, onReport: deps.onReport },
    );
  }

  async add(text: string, options: AddOptions = {}): Promise<Receipt> {
    const { waitMs, signal, ...rest } = options;
    const [receipt] = await this.addMany([{ text, ...rest }], {
      ...(waitMs === undefined ? {} : { waitMs }),
      ...(signal === undefined ? {} : { signal }),
    });
    return receipt as Receipt;
  }

  async addMany(items: readonly NewMemory[], options: WriteOptions = {}): Promise<Receipt[]> {
    const types = new Set(items.map(({ raisedAs = "memory.add" }) => raisedAs));
    if (![...types].some((type) => this.#mayMatch(type)))
      return this.#memory.addMany(items, options);
    // As the memory itself does, only for who adds.
    const { v7: newId } = await import("uuid");
    const decided: { event: PolicyEvent; item: NewMemory; effects: readonly Effect[] }[] = [];
    for (const given of items) {
      const item = { ...given, id: given.id ?? newId() };
      const event = addEvent(item, this.#clock.now());
      // All or none are added, so the first that is aborted ends it.
      // oxlint-disable-next-line no-await-in-loop
      decided.push({ event, item, effects: await this.#decide(event, options) });
    }
    const drafts: { event: PolicyEvent; item: NewMemory; effects: readonly Effect[] }[] = [];
    for (const { event, item, effects } of decided) {
      const { text, tags = [], metadata = {} } = item;
      // oxlint-disable-next-line no-await-in-loop
      const { content, others } = await this.#draft(event, { text, tags, metadata }, effects);
      drafts.push({ event, item: { ...item, ...content }, effects: others });
    }
    const receipts = await this.#memory.addMany(
      drafts.map(({ item }) => item),
      options,
    );
    // oxlint-disable-next-line no-await-in-loop
    for (const { event, effects } of drafts) await this.#runner.run(effects, event);
    return receipts;
  }

  async update(id: string, changes: MemoryChanges, options: UpdateOptions = {}): Promise<Receipt> {
    if (!this.#mayMatch("memory.update")) return this.#memory.update(id, changes, options);
    const { signal } = options;
    const { memory: record } = await this.#memory.get(id, signal === undefined ? {} : { signal });
    // It is the memory's own to say that there is none.
    if (record === undefined) return this.#memory.update(id, changes, options);
    const event = updateEvent(record, changes, this.#clock.now());
    const effects = await this.#decide(event, options);
    const whole: Content = {
      text: event.text,
      tags: changes.tags ?? record.tags,
      metadata: changes.metadata ?? record.metadata,
    };
    const { content, others } = await this.#draft(event, whole, effects);
    // What no policy touched stays as it was asked for.
    const changed = content === whole ? changes : { ...changes, ...content };
    const receipt = await this.#memory.update(id, changed, options);
    await this.#runner.run(others, event);
    return receipt;
  }

  async search(query: string, options: SearchOptions = {}): Promise<SearchResult> {
    if (!this.#mayMatch("memory.search")) return this.#memory.search(query, unarchived(options));
    const event = searchEvent(query, options, this.#clock.now());
    const effects = await this.#decide(event, {});
    const result = await this.#memory.search(query, unarchived(options));
    await this.#runner.run(effects, event);
    return result;
  }

  async forget(
    selector: readonly string[] | Filter,
    options: ForgetOptions = {},
  ): Promise<ForgetResult> {
    if (options.dryRun === true || !this.#mayMatch("memory.forget"))
      return this.#memory.forget(selector, options);
    const { ids } = await this.#memory.forget(selector, { ...options, dryRun: true });
    const records = await recordsOf(this.#memory, ids);
    const decided: { event: PolicyEvent; effects: readonly Effect[] }[] = [];
    for (const id of ids) {
      const event = forgetEvent(id, records.get(id), this.#clock.now());
      // Only what was decided on is forgotten, and all of it or nothing.
      // oxlint-disable-next-line no-await-in-loop
      decided.push({ event, effects: await this.#decide(event, options) });
    }
    const result = await this.#memory.forget(ids, options);
    // oxlint-disable-next-line no-await-in-loop
    for (const { event, effects } of decided) await this.#runner.run(effects, event);
    return result;
  }

  async close(): Promise<void> {
    await this.#runner.close(CLOSE_WAIT_MS);
    await this.#memory.close();
  }

  #mayMatch(type: string): boolean {
    return this.#deps.decider.ruleset.mayMatch(type);
  }

  /** What is to be done; what came before an abort is done at once. @throws PolicyError */
  async #decide(event: PolicyEvent, { waitMs }: WriteOptions): Promise<readonly Effect[]> {
    const now = this.#clock.now();
    const evaluation = this.#deps.decider.decide(event, now);
    this.#deps.onDecision?.(event, evaluation, now);
    this.#calls.set(event, { writes: waitMs === undefined ? {} : { waitMs } });
    const { decision, effects } = evaluation;
    if (decision.kind === "allow") return effects;
    await this.#runner.run(splitChanges(effects).others, event);
    const why = decision.reason === undefined ? "" : `: ${decision.reason}`;
    throw new PolicyError(`The policy ${decision.rule} stopped this ${event.type}${why}`, {
      code: "POLICY_ABORTED",
      hint: `Nothing was done. Look at the policy with: holdfast memory policy list`,
    });
  }

  /** Carries out the changes to the event's own memory, before it is written. */
  async #draft(
    event: PolicyEvent,
    content: Content,
    effects: readonly Effect[],
  ): Promise<{ content: Content; others: readonly Effect[] }> {
    const { own, others } = splitChanges(effects);
    const call = this.#calls.get(event);
    if (own.length === 0 || call === undefined) return { content, others };
    call.draft = content;
    await this.#runner.run(own, event);
    const { draft = content } = call;
    delete call.draft;
    return { content: draft, others };
  }
}

/** Archived memories are recalled by who asks for them only. */
function unarchived(options: SearchOptions): SearchOptions {
  if (options.tags?.includes(ARCHIVED_TAG) === true) return options;
  return { ...options, exceptTags: [...(options.exceptTags ?? []), ARCHIVED_TAG] };
}
