export { AddressGuard } from "./address-guard.ts";
export { type Channel, type ChannelDeps, type ChannelOptions, createChannel } from "./channel.ts";
export { COMMAND_DEFAULTS, type CommandChannelOptions } from "./command-channel.ts";
export type { ConsoleChannelOptions } from "./console-channel.ts";
export type { ChannelStatus, Delivery } from "./delivery-queue.ts";
export { FILE_DEFAULTS, type FileChannelOptions } from "./file-channel.ts";
export { type Notification, notificationLine, type Severity } from "./notification.ts";
export {
  type Alert,
  Notifier,
  NOTIFIER_DEFAULTS,
  type NotifierDeps,
  type NotifierOptions,
  type Told,
} from "./notifier.ts";
export { NotifyError, type NotifyErrorCode } from "./notify-error.ts";
export type { WebhookChannelOptions } from "./webhook-channel.ts";
export {
  postWebhook,
  WEBHOOK_DEFAULTS,
  type WebhookDeps,
  type WebhookRequest,
  type WebhookResponse,
} from "./webhook-request.ts";
export { type SignedWebhook, verifyWebhook, webhookSignature } from "./webhook-signature.ts";
