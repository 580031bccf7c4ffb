import { circuitBreakerRules } from "./circuit-breaker.ts";
import { policyRules } from "./policies.ts";
import type { Rule } from "./rule.ts";
import { serviceRules } from "./services.ts";
import { vectorStoreRules } from "./vector-store.ts";

/** The rules between keys, by section. */
export const rules: readonly Rule[] = [
  ...vectorStoreRules,
  ...circuitBreakerRules,
  ...policyRules,
  ...serviceRules,
];
