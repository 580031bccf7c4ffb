import * as fc from "fast-check";
import type { Action, Condition, PolicyEvent, PolicyRule } from "@holdfast/policy";

/** Few names and values, so that conditions meet, and events hit them. */
const texts = fc.constantFrom("", "a", "ab", "b", "secret", "no secret");
const numbers = fc.constantFrom(-1, 0, 1, 2.5, 3);
const scalars = fc.oneof(texts, numbers, fc.boolean());
const fields = fc.constantFrom(
  "text",
  "type",
  "tags",
  "metadata.kind",
  "metadata.size",
  "scope.user",
  "priority",
  "mood",
);
const negate = fc.option(fc.boolean(), { nil: undefined });

const leaf: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({ type: fc.constantFrom("always", "never"), negate }),
  fc.record({
    type: fc.constantFrom("equals", "not_equals", "contains", "not_contains"),
    field: fields,
    value: scalars,
    negate,
  }),
  fc.record({
    type: fc.constantFrom("greater_than", "less_than"),
    field: fields,
    value: numbers,
    negate,
  }),
  fc.record({
    type: fc.constant("between"),
    field: fields,
    min_value: fc.constantFrom(-1, 0, 1),
    max_value: fc.constantFrom(1, 2.5, 3),
    negate,
  }),
  fc.record({
    type: fc.constantFrom("in_list", "not_in_list"),
    field: fields,
    values: fc.array(scalars, { minLength: 1, maxLength: 3 }),
    negate,
  }),
  fc.record({
    type: fc.constant("matches_regex"),
    field: fields,
    regex_pattern: fc.constantFrom("^a+$", "secret|key", "[^a-z]", "\\d{2,}", "(?i)SECRET"),
    negate,
  }),
  fc.record({
    type: fc.constant("time_range"),
    start_time: fc.constantFrom("00:00", "09:00", "22:00"),
    end_time: fc.constantFrom("06:00", "17:00", "24:00"),
    timezone: fc.constantFrom("UTC", "Asia/Kolkata"),
    negate,
  }),
  fc.record({
    type: fc.constant("probability"),
    probability: fc.constantFrom(0, 0.3, 0.7, 1),
    negate,
  }),
  fc.record({
    type: fc.constant("rate_limit"),
    rate_limit: fc.constant(2),
    time_window: fc.constant(60),
    negate,
  }),
) as fc.Arbitrary<Condition>;

export const conditions: fc.Arbitrary<Condition> = fc.letrec<{ condition: Condition }>((tie) => ({
  condition: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    leaf,
    fc.record({
      type: fc.constantFrom("composite_and", "composite_or"),
      sub_conditions: fc.array(tie("condition"), { minLength: 1, maxLength: 3 }),
      negate,
    }),
  ) as fc.Arbitrary<Condition>,
})).condition;

const actions: fc.Arbitrary<Action> = fc.oneof(
  fc.constant({ type: "abort" }),
  fc.constant({ type: "skip" }),
  fc.constant({ type: "log_event" }),
  fc.record({
    type: fc.constantFrom("add_tag", "remove_tag"),
    parameters: fc.record({ tag: fc.constantFrom("x", "y") }),
  }),
  fc.record({
    type: fc.constant("set_quality_score"),
    parameters: fc.record({ score: fc.constantFrom(0, 1) }),
  }),
  fc.constant({ type: "delete_memory" }),
  fc.record({
    type: fc.constant("add_tag"),
    parameters: fc.constant({ tag: "x" }),
    condition: leaf,
  }),
) as fc.Arbitrary<Action>;

type Unnamed = Omit<PolicyRule, "name">;

const rule = fc.record(
  {
    conditions: fc.array(conditions, { minLength: 1, maxLength: 4 }),
    actions: fc.array(actions, { minLength: 1, maxLength: 3 }),
    condition_operator: fc.constantFrom("AND", "OR"),
    priority: fc.constantFrom(0, 1, 2),
    scope: fc.constantFrom("global", "user", "agent"),
    enabled: fc.constantFrom(true, true, true, false),
    max_executions: fc.constant(3),
  },
  { requiredKeys: ["conditions", "actions"] },
) as fc.Arbitrary<Unnamed>;

/** What matches the same and aborts before it. */
function aborting(later: Unnamed): Unnamed {
  const { max_executions: _, ...same } = later;
  return { ...same, priority: 3, actions: [{ type: "abort" }] };
}

/**
 * Rules of different names, as JSON would hold them; now and then two are alike, or one is
 * shadowed, which by chance alone hardly ever happens.
 */
export const ruleLists: fc.Arbitrary<PolicyRule[]> = fc
  .tuple(fc.array(rule, { minLength: 1, maxLength: 5 }), fc.nat(9))
  .map(([list, chance]) => {
    const [first, ...others] = list;
    if (first === undefined || chance > 1) return list;
    return [first, ...others, chance === 0 ? first : aborting(first)];
  })
  .map((list) =>
    (JSON.parse(JSON.stringify(list)) as Unnamed[]).map((each, at) => ({
      ...each,
      name: `rule-${at}`,
    })),
  );

export const events: fc.Arbitrary<PolicyEvent> = fc
  .record(
    {
      id: fc.uuid(),
      type: fc.constantFrom("memory.add", "secret", "a"),
      at: fc.nat(2_000_000_000_000),
      scope: fc.record({ user: texts, agent: texts }, { requiredKeys: [] }),
      text: texts,
      tags: fc.array(texts, { maxLength: 2 }),
      metadata: fc.record(
        {
          kind: fc.oneof(scalars, fc.array(scalars, { maxLength: 2 }), fc.constant(null)),
          size: numbers,
        },
        { requiredKeys: [] },
      ),
      priority: fc.oneof(texts, numbers),
      context: fc.record({ mood: scalars }, { requiredKeys: [] }),
    },
    { requiredKeys: ["id", "type", "at", "scope"] },
  )
  .map((event) => JSON.parse(JSON.stringify(event)) as PolicyEvent);
