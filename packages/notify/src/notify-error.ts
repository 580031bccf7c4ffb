import { HoldfastError, type HoldfastErrorOptions } from "@holdfast/core";

export type NotifyErrorCode =
  | "CHANNEL_INVALID"
  | "NOTICE_UNDELIVERED"
  | "NOTICE_TIMEOUT"
  | "WEBHOOK_ADDRESS_REFUSED"
  | "WEBHOOK_BODY_TOO_LARGE";

/** Why a channel cannot be made, or why it did not deliver. */
export class NotifyError extends HoldfastError {
  override name = "NotifyError";
  declare readonly code: NotifyErrorCode;

  constructor(
    code: NotifyErrorCode,
    message: string,
    options: Omit<HoldfastErrorOptions, "code"> = {},
  ) {
    super(message, { ...options, code });
  }
}
