/** What `--service` may name, besides `all` and the user's own services. */
export const SERVICE_NAMES = ["memory", "breaker", "outbox", "chroma", "backup", "policy"] as const;
