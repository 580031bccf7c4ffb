import { type CommandChannelOptions, commandChannel } from "./command-channel.ts";
import { type ConsoleChannelOptions, consoleChannel } from "./console-channel.ts";
import { type FileChannelOptions, fileChannel } from "./file-channel.ts";
import type { Notification } from "./notification.ts";
import { type WebhookChannelOptions, webhookChannel } from "./webhook-channel.ts";
import type { WebhookDeps } from "./webhook-request.ts";

/** A way to tell somebody. */
export interface Channel {
  /** In reports and status: what kind it is, and where it leads. */
  readonly name: string;
  /** Delivers once, or rejects; what it rejects with says by `retryable` whether to try again. */
  send(notification: Notification, signal?: AbortSignal): Promise<void>;
}

export type ChannelOptions =
  | ConsoleChannelOptions
  | FileChannelOptions
  | CommandChannelOptions
  | WebhookChannelOptions;

export interface ChannelDeps extends WebhookDeps {
  /** Where the console channel writes. Default: stderr. */
  write?: (text: string) => void;
}

/** Checks the options, and touches nothing yet. @throws NotifyError `CHANNEL_INVALID`. */
export function createChannel(options: ChannelOptions, deps: ChannelDeps = {}): Channel {
  if (options.type === "console") return consoleChannel(deps);
  if (options.type === "file") return fileChannel(options);
  if (options.type === "command") return commandChannel(options, deps);
  return webhookChannel(options, deps);
}
