export type { LintOptions } from "./analysis/analysis.ts";
export { lintRules } from "./analysis/lint.ts";
export type { LintFinding, LintKind, LintReport, LintUnknown } from "./analysis/lint-report.ts";
export type { Witness } from "./analysis/witness.ts";
export type { CountersView } from "./counters/counters.ts";
export { SqliteCounters } from "./counters/sqlite-counters.ts";
export { Decider, DECIDER_DEFAULTS, type DeciderOptions } from "./counters/decider.ts";
export { evaluate } from "./evaluate/evaluate.ts";
export { createRuleset, type Ruleset } from "./evaluate/ruleset.ts";
export type {
  ActionTrace,
  BlockedBy,
  Claim,
  ConditionTrace,
  Decision,
  Effect,
  EvaluateOptions,
  Evaluation,
  RuleTrace,
} from "./evaluation.ts";
export { PolicyError, type PolicyErrorCode } from "./policy-error.ts";
export type { PolicyEvent, PolicyScope } from "./policy-event.ts";
export type {
  Action,
  ActionParameters,
  ActionType,
  CompositeCondition,
  Condition,
  EffectAction,
  LeafCondition,
  PolicyRule,
  RuleScope,
} from "./rule.ts";
export { policySchema } from "./schema/policy-schema.ts";
export {
  type EffectContext,
  type EffectHandler,
  type EffectHandlers,
  type EffectReport,
  EffectRunner,
  type EffectType,
} from "./execute/effect-runner.ts";
export { fillIn } from "./execute/fill-in.ts";
export {
  checkPolicyText,
  isPolicyText,
  parsePolicyText,
  type PolicyDocument,
  type PolicyTextOptions,
} from "./load/parse-policy.ts";
export {
  loadPolicies,
  type PolicyDirectory,
  type PolicyFile,
  policyFilesIn,
  readPolicies,
} from "./load/policy-directory.ts";
export { type Coverage, CoverageMeter, type UncoveredCondition } from "./suite/coverage.ts";
export { junitXml, type SuiteReport } from "./suite/junit.ts";
export { readEvent, type ReadEventOptions } from "./suite/read-event.ts";
export { runSuite, type RunSuiteOptions, type TestReport } from "./suite/run-suite.ts";
export {
  type Expectation,
  parseSuite,
  type Suite,
  type SuiteStep,
  type SuiteTest,
} from "./suite/suite-document.ts";
export type { DecisionRecord, EffectRecord } from "./replay/decision-record.ts";
export {
  dropEventsAbout,
  dropRecordedEvents,
  EventRecorder,
  type EventRecorderOptions,
  readRecordedEvents,
  type RecordedEvent,
} from "./replay/event-recorder.ts";
export { type ChangedEvent, replay, type ReplayReport } from "./replay/replay.ts";
export { type RuleText, splitPolicyText, withoutRule } from "./edit/rule-texts.ts";
export { SimulatedCounters } from "./replay/simulated-counters.ts";
