import type { MemoryStatus } from "@holdfast/memory";
import type { HealthAnswer } from "../health-answer.ts";
import type { HealthHistory } from "../health-history.ts";

/** All that a page says. */
export interface PageContent {
  answer: HealthAnswer;
  memory: MemoryStatus;
  history: HealthHistory;
  /** Whose health it is: the configuration and the store. */
  place: string;
  version: string;
  /** Wall-clock milliseconds of the writing. */
  now: number;
}
