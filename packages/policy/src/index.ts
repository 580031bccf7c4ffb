export type { PolicyEvent, PolicyScope } from "./policy-event.ts";
