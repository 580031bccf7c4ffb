import { join, resolve } from "node:path";
import type { SecretReference } from "@holdfast/config";
import type { GovernanceDeps } from "@holdfast/memory/policy";
import { type Channel, createChannel, type Notification, postWebhook } from "@holdfast/notify";
import { type EffectContext, fillIn, type PolicyEvent } from "@holdfast/policy";
import { alertChannels } from "../alert-channels.ts";
import type { Workspace } from "../workspace.ts";

/** A longer text is sent and logged cut; rules have seen all of it. */
const TEXT_MAX = 16_384;
/** The longest `timeout` that an action may have. */
const ACTION_MS_MAX = 3_600_000;
/** Of `log_event`, as severities: a file of notifications knows these. */
const SEVERITY = { debug: "info", info: "info", warn: "warning", error: "critical" } as const;

/** What policies do outside of the memory: alert, log, call webhooks. */
export function outwardActions(
  { config, stateDirectory }: Workspace,
  deps: {
    readSecret: (reference: SecretReference) => string;
    /** Where alerts to the console are written. */
    write: (text: string) => void;
  },
): GovernanceDeps["outward"] {
  const log = createChannel({ type: "file", path: join(stateDirectory, "policy.log") });
  let channels: Channel[] | undefined;
  return {
    trigger_alert: async ({ message, severity = "warning" }, context) => {
      channels ??= alertChannels(config, deps);
      const notice = notification(context, message, severity);
      await Promise.all(channels.map((channel) => channel.send(notice, context.signal)));
    },
    log_event: async ({ message, level = "info" }, context) => {
      const notice = notification(context, message, SEVERITY[level]);
      await log.send({ ...notice, data: { ...notice.data, level } }, context.signal);
    },
    execute_webhook: async ({ url, headers, secret }, { event, effect, signal }) => {
      const { directory, webhooks } = config.policies;
      const { status } = await postWebhook({
        url,
        body: JSON.stringify({ policy: effect.rule, event: bounded(event) }),
        idempotencyKey: effect.key,
        ...(headers === undefined ? {} : { headers }),
        ...(secret === undefined ? {} : { secret: deps.readSecret(from(directory, secret)) }),
        allowAddresses: webhooks.allow_addresses,
        // The action's own limit ends it by the signal.
        timeoutMs: ACTION_MS_MAX,
        signal,
      });
      return { status };
    },
  };
}

/** A policy's paths resolve from the folder of the policies, wherever a command runs. */
function from(folder: string, { file, ...rest }: SecretReference): SecretReference {
  return file === undefined ? rest : { ...rest, file: resolve(folder, file) };
}

function notification(
  { event, effect }: EffectContext,
  message: string | undefined,
  severity: Notification["severity"],
): Notification {
  return {
    id: effect.key,
    at: event.at,
    since: event.at,
    count: 1,
    subject: `policy/${effect.rule}`,
    state: "firing",
    severity,
    title: `The policy ${effect.rule} matched a ${event.type}`,
    ...(message === undefined ? {} : { message: fillIn(message, event) }),
    data: { event: bounded(event) },
  };
}

function bounded(event: PolicyEvent): PolicyEvent {
  return event.text === undefined ? event : { ...event, text: event.text.slice(0, TEXT_MAX) };
}
