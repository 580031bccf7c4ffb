/** How far a backup, a restore or a verification has come. */
export interface BackupProgress {
  stage: "memories" | "others" | "verify" | "stage" | "embed" | "store" | "compare";
  done: number;
  /** Undefined while it is not known. */
  total: number | undefined;
}

/** Named points at which a test ends the process. */
export type BackupFailpoint =
  | "data-written"
  | "manifest-written"
  | "data-in-place"
  | "in-place"
  | "memories-staged"
  | "store-half-filled"
  | "store-filled"
  | "compared"
  | "swap-decided"
  | "swapped";
