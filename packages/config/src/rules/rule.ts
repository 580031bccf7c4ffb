import type { YamlNode } from "@holdfast/document";
import type { Sources } from "../layers/sources.ts";

export interface RuleFinding {
  severity: "error" | "warning" | "note";
  /** In kebab case, for programs. */
  rule: string;
  offset: number;
  path: string;
  message: string;
  expected?: string;
}

/** Looks at what the schema cannot say, in a document that the schema accepts. */
export type Rule = (root: YamlNode, sources: Sources) => RuleFinding[];
