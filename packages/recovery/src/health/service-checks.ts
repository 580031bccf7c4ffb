import { once } from "node:events";
import { connect, type TcpSocketConnectOpts } from "node:net";
import type { CheckOutcome, HealthCheck } from "../check.ts";
import { runCommand } from "../orchestrate/run-command.ts";

export interface ServiceCheckOptions {
  name: string;
  service?: string;
  severity?: NonNullable<HealthCheck["severity"]>;
  timeoutMs?: number;
}

export interface HttpCheckOptions extends ServiceCheckOptions {
  url: string;
  /** The status that it must answer with. Default: any from 200 to 399; redirects are not followed. */
  expectStatus?: number;
  headers?: Readonly<Record<string, string>>;
}

export interface TcpCheckOptions extends ServiceCheckOptions {
  host: string;
  port: number;
}

export interface CommandCheckOptions extends ServiceCheckOptions {
  /** The program and its arguments; no shell is asked. Exit code 0 passes. */
  command: readonly string[];
}

/** Passes when a GET is answered with the expected status. */
export function httpCheck({
  url,
  expectStatus,
  headers = {},
  ...options
}: HttpCheckOptions): HealthCheck {
  return {
    ...options,
    run: async ({ signal }) => {
      const response = await answerOf(url, headers, signal);
      const { status } = response;
      await response.body?.cancel();
      const ok =
        expectStatus === undefined ? status >= 200 && status < 400 : status === expectStatus;
      const expected = expectStatus === undefined ? "" : `, not ${expectStatus}`;
      return outcome(ok, ok ? `${url} answers ${status}` : `${url} answers ${status}${expected}`, {
        status,
      });
    },
  };
}

/** Passes when a connection is accepted. */
export function tcpCheck({ host, port, ...options }: TcpCheckOptions): HealthCheck {
  return {
    ...options,
    run: async ({ signal }) => {
      const refusal = await refusalOf({ host, port }, signal);
      const where = `${host}:${port}`;
      if (refusal === undefined)
        return outcome(true, `${where} accepts connections`, { host, port });
      return outcome(false, `${where} cannot be reached: ${refusal}`, { host, port });
    },
  };
}

/** Passes when a command ends with exit code 0; what it said is the message otherwise. */
export function commandCheck({
  command,
  timeoutMs = 5_000,
  ...options
}: CommandCheckOptions): HealthCheck {
  const [program = ""] = command;
  return {
    ...options,
    timeoutMs,
    run: async ({ signal }) => {
      const { code, said } = await runCommand(command, { signal, timeoutMs });
      if (code === 0) return outcome(true, `${program} succeeded`, { code });
      const how = code === undefined ? "was killed" : `ended with exit code ${code}`;
      return outcome(false, `${program} ${how}${said === "" ? "" : `: ${said}`}`, {
        code: code ?? null,
      });
    },
  };
}

/** Why no connection comes about; undefined when one does. */
async function refusalOf(
  to: TcpSocketConnectOpts,
  signal: AbortSignal,
): Promise<string | undefined> {
  const socket = connect(to);
  try {
    await once(socket, "connect", { signal });
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    return (error as NodeJS.ErrnoException).code ?? (error as Error).message;
  } finally {
    socket.destroy();
  }
}

async function answerOf(
  url: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Response> {
  try {
    return await fetch(url, { headers, signal, redirect: "manual" });
  } catch (error) {
    signal.throwIfAborted();
    // fetch hides why in its cause.
    const { cause } = error as Error;
    const why = (cause as NodeJS.ErrnoException | undefined)?.code ?? (cause as Error)?.message;
    throw new Error(`${url} cannot be reached: ${why ?? (error as Error).message}`, {
      cause: error,
    });
  }
}

function outcome(
  ok: boolean,
  message: string,
  evidence: CheckOutcome["evidence"] & {},
): CheckOutcome {
  return { status: ok ? "pass" : "fail", message, evidence };
}
