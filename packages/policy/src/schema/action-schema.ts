// oxlint-disable typescript/no-unnecessary-type-assertion -- isolatedDeclarations wants types written

export const template = {
  type: "string",
  minLength: 1,
  maxLength: 10_000,
  description: "text, in which {{field}} stands for that part of the event",
} as const;

export const memoryId = {
  type: "string",
  minLength: 1,
  maxLength: 512,
  description: "Which memory; may hold {{field}}. Default: the one that the event is about.",
} as const;

export const tagName = { type: "string", minLength: 1, maxLength: 255 } as const;

export const tagNames = {
  type: "array",
  items: tagName as typeof tagName,
  maxItems: 64,
} as const;

export const memoryMetadata = {
  type: "object",
  additionalProperties: { type: ["string", "number", "boolean"] },
} as const;

export const createMemory = {
  type: "object",
  additionalProperties: false,
  properties: {
    text: template as typeof template,
    tags: tagNames as typeof tagNames,
    metadata: memoryMetadata as typeof memoryMetadata,
  },
} as const;

export const recallMemory = {
  type: "object",
  additionalProperties: false,
  properties: {
    query: template as typeof template,
    limit: { type: "integer", minimum: 1, maximum: 100, default: 5 },
  },
} as const;

export const updateMemory = {
  type: "object",
  additionalProperties: false,
  properties: {
    id: memoryId as typeof memoryId,
    text: template as typeof template,
    tags: tagNames as typeof tagNames,
    metadata: memoryMetadata as typeof memoryMetadata,
  },
} as const;

export const oneMemory = {
  type: "object",
  additionalProperties: false,
  properties: { id: memoryId as typeof memoryId },
} as const;

export const qualityScore = {
  type: "object",
  required: ["score"],
  additionalProperties: false,
  properties: {
    score: {
      type: "number",
      minimum: 0,
      maximum: 1,
      description: "Kept as the memory's metadata quality_score.",
    },
    id: memoryId as typeof memoryId,
  },
} as const;

export const oneTag = {
  type: "object",
  required: ["tag"],
  additionalProperties: false,
  properties: { tag: tagName as typeof tagName, id: memoryId as typeof memoryId },
} as const;

export const triggerAlert = {
  type: "object",
  additionalProperties: false,
  properties: {
    message: template as typeof template,
    severity: { type: "string", enum: ["info", "warning", "critical"], default: "warning" },
  },
} as const;

export const logEvent = {
  type: "object",
  additionalProperties: false,
  properties: {
    message: template as typeof template,
    level: { type: "string", enum: ["debug", "info", "warn", "error"], default: "info" },
  },
} as const;

export const executeWebhook = {
  type: "object",
  required: ["url"],
  additionalProperties: false,
  properties: {
    url: {
      type: "string",
      pattern: "^https?://[^\\s]+$",
      maxLength: 2048,
      description: "an http or https address",
    },
    headers: { type: "object", additionalProperties: { type: "string" } },
    secret: {
      type: "object",
      additionalProperties: false,
      minProperties: 1,
      maxProperties: 1,
      properties: {
        env: { type: "string", minLength: 1 },
        file: { type: "string", minLength: 1 },
      },
      description:
        "Signs the body; as {env: NAME} or {file: PATH}, from the folder of the policies.",
    },
  },
} as const;

export const chainPolicy = {
  type: "object",
  required: ["policy"],
  additionalProperties: false,
  properties: {
    policy: { type: "string", minLength: 1, maxLength: 255, description: "The other rule's name." },
  },
} as const;

export const ending = {
  type: "object",
  additionalProperties: false,
  properties: { reason: { type: "string", minLength: 1, maxLength: 1000 } },
} as const;

/** What each type of action takes as `parameters`. */
export const actionParameters = {
  create_memory: createMemory as typeof createMemory,
  recall_memory: recallMemory as typeof recallMemory,
  update_memory: updateMemory as typeof updateMemory,
  delete_memory: oneMemory as typeof oneMemory,
  archive_memory: oneMemory as typeof oneMemory,
  set_quality_score: qualityScore as typeof qualityScore,
  add_tag: oneTag as typeof oneTag,
  remove_tag: oneTag as typeof oneTag,
  trigger_alert: triggerAlert as typeof triggerAlert,
  log_event: logEvent as typeof logEvent,
  execute_webhook: executeWebhook as typeof executeWebhook,
  chain_policy: chainPolicy as typeof chainPolicy,
  abort: ending as typeof ending,
  skip: ending as typeof ending,
} as const;

/** How an action that does something is run. */
export const runOptions = {
  async_execution: {
    type: "boolean",
    default: false,
    description: "Run it beside what follows; nothing waits for it but the end of the process.",
  },
  retry_count: {
    type: "integer",
    minimum: 0,
    maximum: 10,
    default: 0,
    description: "How often a failed attempt is made again.",
  },
  retry_delay: {
    type: "number",
    minimum: 0,
    maximum: 3600,
    default: 1,
    description: "Seconds between attempts.",
  },
  timeout: {
    type: "number",
    minimum: 0.001,
    maximum: 3600,
    default: 30,
    description: "Seconds that an attempt may take.",
  },
} as const;
