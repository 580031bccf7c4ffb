/** Where backups go, how they are written, and which of them are kept. */
export const backup = {
  type: "object",
  additionalProperties: false,
  default: {},
  description: "Where backups go, and which of them are kept.",
  properties: {
    directory: {
      type: "string",
      minLength: 1,
      default: ".holdfast/backups",
      "x-path": "folder",
      description: "Where a backup without --output goes. Better on another disk.",
    },
    compression: {
      type: "string",
      enum: ["zstd", "gzip"],
      default: "zstd",
      description: "gzip for readers that lack zstd; it is slower.",
    },
    schedule: {
      type: "string",
      pattern: "^\\s*(\\S+\\s+){4,5}\\S+\\s*$",
      description:
        "When memory monitor backs up, and prunes: a cron expression in local time, such as 0 3 * * *.",
    },
    include_policies: {
      type: "boolean",
      default: false,
      description: "Whether policies are part of every backup, as with --include-policies.",
    },
    keep_last: {
      type: "integer",
      minimum: 1,
      default: 7,
      description: "memory backup prune: the newest that stay.",
    },
    keep_daily: {
      type: "integer",
      minimum: 0,
      default: 7,
      description: "Days of which the newest stays.",
    },
    keep_weekly: {
      type: "integer",
      minimum: 0,
      default: 4,
      description: "Weeks of which the newest stays.",
    },
    keep_monthly: {
      type: "integer",
      minimum: 0,
      default: 6,
      description: "Months of which the newest stays.",
    },
  },
} as const;
