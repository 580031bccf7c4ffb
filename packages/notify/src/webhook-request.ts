import { lookup as dnsLookup, type LookupAddress } from "node:dns";
import { type ClientRequest, type IncomingMessage, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP, type LookupFunction, type Socket } from "node:net";
import { type Clock, HoldfastError, systemClock } from "@holdfast/core";
import { AddressGuard } from "./address-guard.ts";
import { NotifyError } from "./notify-error.ts";
import { withTimeLimit } from "./time-limit.ts";
import { webhookSignature } from "./webhook-signature.ts";

export const WEBHOOK_DEFAULTS = {
  timeoutMs: 10_000,
  bodyBytesMax: 65_536,
  redirectsMax: 3,
} as const;

export interface WebhookRequest {
  /** `https:` or `http:`, without a user in it. */
  url: string;
  /** Sent as it is, as `application/json` unless `headers` say otherwise. */
  body: string;
  /** Sent as `webhook-id` and `idempotency-key`; the same for every attempt at one delivery. */
  idempotencyKey: string;
  /** Signs id, time and body with HMAC-SHA256; without one nothing is signed. */
  secret?: string;
  headers?: Readonly<Record<string, string>>;
  /** Addresses and networks that are allowed though not public. Default: none. */
  allowAddresses?: readonly string[];
  /** For all of it, redirects included. Default 10000. */
  timeoutMs?: number;
  /** Default 65536. */
  bodyBytesMax?: number;
  /** How many times it may be sent on by status 307 or 308. Default 3. */
  redirectsMax?: number;
  signal?: AbortSignal;
}

export interface WebhookDeps {
  clock?: Clock;
  /** How a name becomes addresses. Default: the system's resolver. */
  lookup?: (host: string) => Promise<LookupAddress[]>;
}

export interface WebhookResponse {
  status: number;
  /** The address that took it. */
  address: string;
}

/**
 * Posts `body` once, and resolves when it was answered with a 2xx. Only public addresses, and those
 * allowed, are connected to: what a name resolves to is checked, the socket goes to just that, and
 * is checked again before anything is written; each redirect is a new request under the same rules.
 * The answer's body is not read.
 * @throws NotifyError `CHANNEL_INVALID`, `WEBHOOK_BODY_TOO_LARGE`, `WEBHOOK_ADDRESS_REFUSED`,
 *   `NOTICE_TIMEOUT`, `NOTICE_UNDELIVERED`; the last two are retryable where a retry may help.
 */
export async function postWebhook(
  options: WebhookRequest,
  deps: WebhookDeps = {},
): Promise<WebhookResponse> {
  const { clock = systemClock, lookup = systemLookup } = deps;
  const guard = new AddressGuard(options.allowAddresses);
  const first = webhookUrl(options.url);
  const bytesMax = options.bodyBytesMax ?? WEBHOOK_DEFAULTS.bodyBytesMax;
  if (Buffer.byteLength(options.body) > bytesMax) {
    throw new NotifyError("WEBHOOK_BODY_TOO_LARGE", `The body is larger than ${bytesMax} bytes`);
  }
  const limitMs = options.timeoutMs ?? WEBHOOK_DEFAULTS.timeoutMs;
  return withTimeLimit({ clock, limitMs, signal: options.signal }, async (signal) => {
    const context: Attempt = { options, guard, lookup, signal, timestamp: clock.now() };
    let url = first;
    for (let hop = 0; ; hop += 1) {
      const { response, address } = await post(url, url.origin === first.origin, context);
      const status = response.statusCode ?? 0;
      response.destroy();
      if (status >= 200 && status < 300) return { status, address };
      url = redirectTarget(url, status, response.headers.location, hop, options);
    }
  });
}

/** @throws NotifyError `CHANNEL_INVALID` for what is no address that a webhook can have. */
export function webhookUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol) && url.username + url.password === "")
    return url;
  throw new NotifyError("CHANNEL_INVALID", "A webhook needs an http or https address", {
    hint: "Write it as https://host/path; credentials go into headers, never into the address.",
  });
}

interface Attempt {
  options: WebhookRequest;
  guard: AddressGuard;
  lookup: NonNullable<WebhookDeps["lookup"]>;
  signal: AbortSignal;
  /** Milliseconds since the epoch. */
  timestamp: number;
}

async function post(
  url: URL,
  sameOrigin: boolean,
  { options, guard, lookup, signal, timestamp }: Attempt,
): Promise<{ response: IncomingMessage; address: string }> {
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  // No name is looked up for an address, so nothing else would check it.
  if (isIP(host) !== 0) guard.assertPermitted(host, host);
  const send = url.protocol === "https:" ? httpsRequest : httpRequest;
  try {
    return await new Promise((resolve, reject) => {
      const request = send(url, {
        method: "POST",
        agent: false,
        signal,
        lookup: guardedLookup(guard, lookup),
        headers: headersOf(options, timestamp, sameOrigin),
      });
      request.on("error", reject);
      request.on("socket", (socket) =>
        endWhenPermitted(request, socket, guard, host, options.body),
      );
      request.on("response", (response) => {
        resolve({ response, address: response.socket.remoteAddress ?? host });
      });
    });
  } catch (error) {
    throw translated(error, url, signal);
  }
}

/** Nothing, not even a header, is written before the address at the other end was checked. */
function endWhenPermitted(
  request: ClientRequest,
  socket: Socket,
  guard: AddressGuard,
  host: string,
  body: string,
): void {
  socket.once("connect", () => {
    try {
      guard.assertPermitted(socket.remoteAddress ?? "", host);
      request.end(body);
    } catch (error) {
      request.destroy(error as Error);
    }
  });
}

/** What a socket connects to is what was looked at: there is no second look-up to answer otherwise. */
function guardedLookup(guard: AddressGuard, lookup: Attempt["lookup"]): LookupFunction {
  return (host, { all }, callback) => {
    const answer = async (): Promise<void> => {
      let found: [LookupAddress, ...LookupAddress[]];
      try {
        found = await permittedAddresses(host, guard, lookup);
      } catch (error) {
        callback(error as NodeJS.ErrnoException, []);
        return;
      }
      if (all) callback(null, found);
      else callback(null, found[0].address, found[0].family);
    };
    void answer();
  };
}

/** A name with one address that is refused is refused whole: it is not what it seems. */
async function permittedAddresses(
  host: string,
  guard: AddressGuard,
  lookup: Attempt["lookup"],
): Promise<[LookupAddress, ...LookupAddress[]]> {
  const [first, ...rest] = await lookup(host);
  if (first === undefined) throw new Error(`${host} has no address`);
  for (const { address } of [first, ...rest]) guard.assertPermitted(address, host);
  return [first, ...rest];
}

function systemLookup(host: string): Promise<LookupAddress[]> {
  return new Promise((resolve, reject) => {
    dnsLookup(host, { all: true }, (error, found) => (error ? reject(error) : resolve(found)));
  });
}

function headersOf(
  { body, idempotencyKey: id, secret, headers }: WebhookRequest,
  atMs: number,
  sameOrigin: boolean,
): Record<string, string | number> {
  const timestamp = Math.floor(atMs / 1_000);
  return {
    "content-type": "application/json",
    "user-agent": "holdfast",
    // What the user adds may be a credential, which only the host it was meant for gets.
    ...(sameOrigin ? headers : {}),
    "content-length": Buffer.byteLength(body),
    "webhook-id": id,
    "idempotency-key": id,
    "webhook-timestamp": timestamp,
    ...(secret === undefined
      ? {}
      : { "webhook-signature": webhookSignature({ id, timestamp, body }, secret) }),
  };
}

function redirectTarget(
  from: URL,
  status: number,
  location: string | undefined,
  hop: number,
  options: WebhookRequest,
): URL {
  if (status !== 307 && status !== 308) {
    const retryable = status >= 500 || status === 408 || status === 425 || status === 429;
    const hint =
      status >= 300 && status < 400
        ? "Only 307 and 308 keep a POST a POST; give the address it ends at."
        : undefined;
    throw new NotifyError("NOTICE_UNDELIVERED", `${from.origin} answered ${status}`, {
      retryable,
      ...(hint === undefined ? {} : { hint }),
    });
  }
  const target = URL.parse(location ?? "", from.href);
  if (target === null || hop >= (options.redirectsMax ?? WEBHOOK_DEFAULTS.redirectsMax))
    throw new NotifyError("NOTICE_UNDELIVERED", `${from.origin} redirects too often, or nowhere`);
  if (from.protocol === "https:" && target.protocol === "http:")
    throw new NotifyError("NOTICE_UNDELIVERED", `${from.origin} redirects to an open connection`);
  return webhookUrl(target.href);
}

function translated(error: unknown, url: URL, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof HoldfastError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  return new NotifyError("NOTICE_UNDELIVERED", `${url.origin}: ${code ?? message}`, {
    retryable: true,
    cause: error,
  });
}
