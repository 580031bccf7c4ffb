import type { Rule } from "./rule.ts";
import { vectorStoreRules } from "./vector-store.ts";

/** The rules between keys, by section. */
export const rules: readonly Rule[] = [...vectorStoreRules];
