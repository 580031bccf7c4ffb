import type { Channel } from "./channel.ts";
import { notificationLine } from "./notification.ts";

/** A line for each notification, on stderr. */
export interface ConsoleChannelOptions {
  type: "console";
}

export function consoleChannel({ write = toStderr }: { write?: (text: string) => void }): Channel {
  return {
    name: "console",
    send(notification) {
      write(`${notificationLine(notification)}\n`);
      return Promise.resolve();
    },
  };
}

const toStderr = (text: string): void => {
  process.stderr.write(text);
};
