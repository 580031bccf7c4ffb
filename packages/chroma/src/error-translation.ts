import { StoreError, type StoreErrorCode, type StoreErrorOptions } from "@holdfast/store";

/** An answer that is not the wanted one; the cause of the StoreError that it becomes. */
export class ChromaAnswer extends Error {
  override name = "ChromaAnswer";
  readonly status: number;
  readonly body: unknown;

  constructor(status: number, body: unknown) {
    super(`HTTP ${status}: ${answerText(body)}`);
    this.status = status;
    this.body = body;
  }
}

export interface FailedCall {
  /** For the message: `upsert`, `query` … */
  operation: string;
  /** Whether this request changes something. */
  write: boolean;
}

/** Chroma reports some of its own failures as if the request were wrong. */
const OWN_FAILURE = /error executing plan|compaction|log store|failed to pull logs/i;
const NAME_TAKEN = /UNIQUE constraint failed: collections\.name/;
const NO_PLACE = /^(?:Tenant|Database) \[/;
const NO_COLLECTION = /^Collection \[(.*)\] does not exist/;

type Finding = Omit<StoreErrorOptions, "cause"> & { say?: string };

/** Chroma's refusal in the port's terms. `now` is wall-clock milliseconds, for a Retry-After date. */
export function translateAnswer(
  { operation, write }: FailedCall,
  answer: ChromaAnswer,
  retryAfter: string | null,
  now: number,
): StoreError {
  const text = answerText(answer.body);
  const { say, ...found } = judge(answer.status, text, write);
  const retryAfterMs = retryAfterDelayMs(retryAfter, now);
  return new StoreError(say ?? `${operation}: Chroma answered ${answer.status}: ${text}`, {
    ...found,
    ...(retryAfterMs === undefined || VERDICT_WAITS[found.code] !== true ? {} : { retryAfterMs }),
    cause: answer,
  });
}

const VERDICT_WAITS: Partial<Record<StoreErrorCode, boolean>> = {
  STORE_BUSY: true,
  STORE_UNAVAILABLE: true,
};

function judge(status: number, text: string, write: boolean): Finding {
  if (status >= 500) return judgeServerError(status, text, write);
  if (status >= 300 && status < 400) {
    return {
      code: "STORE_MISSING",
      hint: "The address redirects elsewhere. Redirects are not followed: configure the final one.",
    };
  }
  switch (status) {
    case 400:
      return judgeBadRequest(text, write);
    case 401:
    case 403:
    case 407:
      return {
        code: "STORE_AUTH",
        hint: "Check the token or headers, and that they may use this tenant and database.",
      };
    case 404:
    case 410:
      return judgeMissing(text);
    case 408:
      return { code: "STORE_TIMEOUT", outcomeUnknown: write };
    case 409:
      return { code: "COLLECTION_EXISTS" };
    case 413:
      return {
        code: "STORE_REJECTED",
        hint: "Raise the server's max_payload_size_bytes, or write fewer or shorter records at once.",
      };
    case 422:
      return text.startsWith("Billing limit exceeded")
        ? { code: "STORE_AUTH", hint: "The account's limit is reached; see its billing page." }
        : { code: "STORE_REJECTED" };
    case 425:
    case 429:
      return { code: "STORE_BUSY" };
    default:
      return { code: "STORE_REJECTED" };
  }
}

function judgeServerError(status: number, text: string, write: boolean): Finding {
  if (NAME_TAKEN.test(text)) return { code: "COLLECTION_EXISTS" };
  if (status === 501 || status === 505) return { code: "STORE_REJECTED" };
  // A write is queued before it is indexed: it may be applied although the answer is an error.
  return { code: "STORE_UNAVAILABLE", outcomeUnknown: write };
}

function judgeBadRequest(text: string, write: boolean): Finding {
  if (OWN_FAILURE.test(text)) return { code: "STORE_UNAVAILABLE", outcomeUnknown: write };
  if (NO_PLACE.test(text)) return judgeMissing(text);
  if (text.startsWith("Collection expecting embedding with dimension")) {
    return { code: "STORE_REJECTED", hint: "Embed with the model that made the collection." };
  }
  return { code: "STORE_REJECTED" };
}

function judgeMissing(text: string): Finding {
  const [, collection] = NO_COLLECTION.exec(text) ?? [];
  if (collection !== undefined) {
    return {
      code: "COLLECTION_NOT_FOUND",
      say: `There is no collection ${collection}`,
      hint: "Check its name, and where it is looked for: holdfast config explain vector_store",
    };
  }
  if (NO_PLACE.test(text)) {
    return {
      code: "STORE_MISSING",
      hint: "Create the tenant and database, or correct their names.",
    };
  }
  return {
    code: "STORE_MISSING",
    hint: "What answers there is no Chroma with API v2: check host, port and path.",
  };
}

/** Failures before the first byte of a request was sent: certainly nothing was applied. */
const UNSENT: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EAI_FAIL",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EADDRNOTAVAIL",
  "EACCES",
  "ENOENT",
  "UND_ERR_CONNECT_TIMEOUT",
  "CERT_HAS_EXPIRED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "ERR_TLS_CERT_ALTNAME_INVALID",
]);

/** No answer, half an answer, or one that is not JSON. */
export function translateFailure({ operation, write }: FailedCall, error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const code = systemCode(error);
  if (code === "ERR_INVALID_URL") {
    return new StoreError(`${operation}: Chroma's address is not one`, {
      code: "STORE_MISSING",
      hint: "Check the configured host and port.",
      cause: error,
    });
  }
  if (error instanceof Error && error.name === "ChromaValueError") {
    return new StoreError(`${operation}: ${error.message}`, {
      code: "STORE_REJECTED",
      cause: error,
    });
  }
  const unsent = code !== undefined && UNSENT.has(code);
  return new StoreError(`${operation}: no answer from Chroma (${reasonOf(error)})`, {
    code: "STORE_UNAVAILABLE",
    outcomeUnknown: write && !unsent,
    cause: error,
  });
}

/**
 * Holds a 200 to what Chroma answers: a proxy's page must not be read as an empty result.
 * @throws StoreError `STORE_UNAVAILABLE`.
 */
export function assertAnswer(
  operation: string,
  isWanted: boolean,
  answer: unknown,
  outcomeUnknown = false,
): void {
  if (isWanted) return;
  throw new StoreError(`${operation}: what answers is not Chroma: ${answerText(answer)}`, {
    code: "STORE_UNAVAILABLE",
    outcomeUnknown,
    hint: "Check host and port, and what stands between.",
  });
}

/** Whether the server was not even reached, so that the same request may go to another address. */
export function neverSent(error: unknown): boolean {
  const code = systemCode(error);
  return code !== undefined && UNSENT.has(code);
}

/** Why fetch failed, in a word where the system has one: its own message says nothing. */
export function reasonOf(error: unknown): string {
  return systemCode(error) ?? messageOf(error);
}

/** The system's code of a failure, wherever fetch has wrapped it. */
function systemCode(error: unknown): string | undefined {
  let at = error;
  // By shape, not by class: fetch may belong to another realm than this module.
  for (let depth = 0; depth < 5 && typeof at === "object" && at !== null; depth += 1) {
    if ("code" in at && typeof at.code === "string") return at.code;
    at = "cause" in at ? at.cause : undefined;
  }
  return undefined;
}

function messageOf(error: unknown): string {
  return typeof error === "object" && error !== null && "message" in error
    ? String(error.message)
    : String(error);
}

function answerText(body: unknown): string {
  if (typeof body === "object" && body !== null) {
    if ("message" in body && typeof body.message === "string") return body.message;
    if ("error" in body && typeof body.error === "string") return body.error;
  }
  const text = typeof body === "string" ? body : (JSON.stringify(body) ?? "nothing");
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

function retryAfterDelayMs(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1_000);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
