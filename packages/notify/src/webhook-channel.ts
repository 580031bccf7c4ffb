import type { Channel } from "./channel.ts";
import { assertAddresses } from "./address-guard.ts";
import { notificationJson } from "./notification.ts";
import {
  postWebhook,
  WEBHOOK_DEFAULTS,
  type WebhookDeps,
  type WebhookRequest,
  webhookUrl,
} from "./webhook-request.ts";

/** Posts each notification as JSON; see `postWebhook` for its rules. */
export interface WebhookChannelOptions extends Pick<
  WebhookRequest,
  "url" | "secret" | "headers" | "allowAddresses" | "timeoutMs" | "bodyBytesMax" | "redirectsMax"
> {
  type: "webhook";
}

export function webhookChannel(options: WebhookChannelOptions, deps: WebhookDeps): Channel {
  const { type: _, ...request } = options;
  // What is wrong is said when the channel is made, not when it is needed.
  const { origin } = webhookUrl(request.url);
  assertAddresses(request.allowAddresses);
  const bytesMax = request.bodyBytesMax ?? WEBHOOK_DEFAULTS.bodyBytesMax;
  return {
    // The path may hold a token, as chat services' do.
    name: `webhook ${origin}`,
    async send(notification, signal) {
      const body = notificationJson(notification, bytesMax);
      const more = signal === undefined ? {} : { signal };
      await postWebhook({ ...request, ...more, body, idempotencyKey: notification.id }, deps);
    },
  };
}
