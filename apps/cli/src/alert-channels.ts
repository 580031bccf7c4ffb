import type { Config, SecretReference } from "@holdfast/config";
import { type Channel, type ChannelOptions, createChannel } from "@holdfast/notify";

type Configured = Config["alerts"]["channels"][number];

/** The channels of `alerts.channels`. @throws NotifyError `CHANNEL_INVALID`, ConfigError of a secret. */
export function alertChannels(
  { alerts }: Pick<Config, "alerts">,
  deps: {
    readSecret: (reference: SecretReference) => string;
    /** Where the console channel writes. Default stderr. */
    write?: (text: string) => void;
  },
): Channel[] {
  const { readSecret, ...written } = deps;
  return alerts.channels.map((channel) =>
    createChannel(channelOptions(channel, readSecret), written),
  );
}

/** What a channel of its type cannot do without, the configuration's own rules have asked for. */
function channelOptions(
  { type, path = "", command = [], url = "", secret, allow_addresses: allowed }: Configured,
  readSecret: (reference: SecretReference) => string,
): ChannelOptions {
  if (type === "console") return { type };
  if (type === "file") return { type, path };
  if (type === "command") {
    const [program = "", ...rest] = command;
    return { type, command: [program, ...rest] };
  }
  return {
    type,
    url,
    ...(secret === undefined ? {} : { secret: readSecret(secret) }),
    ...(allowed === undefined ? {} : { allowAddresses: allowed }),
  };
}
