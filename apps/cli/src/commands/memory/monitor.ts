import type { Command } from "commander";
import { loadConfig, readSecret } from "@holdfast/config";
import { durationMs, systemClock } from "@holdfast/core";
import { TEXT_CONTENT_TYPES } from "@holdfast/metrics";
import type { HealthReport } from "@holdfast/recovery";
import type { Context } from "../../context.ts";
import { exportMetrics } from "../../export-metrics.ts";
import { exitStatusOf } from "../../health/exit-status.ts";
import { example } from "../../help.ts";
import { HealthListener } from "../../listener/health-listener.ts";
import { listenAddress } from "../../listener/listen-address.ts";
import { untilConfigChanges } from "../../monitor/config-watch.ts";
import { lineView, type MonitorView, screenView } from "../../monitor/monitor-view.ts";
import { runMonitor } from "../../monitor/run-monitor.ts";
import { usage } from "../../selection.ts";
import { version } from "../../start.ts";
import type { Parts } from "../../wire.ts";

interface Options {
  interval?: number;
  alerts?: boolean;
  once?: boolean;
  recover: boolean;
  listen?: string;
}

export function register(command: Command, context: Context): void {
  command
    .option(
      "--interval <duration>",
      "between two looks, as in 30 or 2m; default: health.interval",
      interval,
    )
    .option("--alerts", "tell people, as alerts of the configuration says")
    .option("--once", "look once, do what follows, and end: 0 healthy, 3 degraded, 13 down")
    .option("--no-recover", "only look: repair, start and restart nothing")
    .option("--listen <address>", "serve /livez, /readyz, /health and /metrics there, as in 9464")
    .action((options: Options) => monitor(options, context));
  example(command, [
    "holdfast memory monitor",
    "holdfast memory monitor --alerts --listen 9464",
    "holdfast memory monitor --once --json",
  ]);
}

async function monitor(options: Options, context: Context): Promise<void> {
  for (let now = context; ; now = { ...context, config: reread(context) }) {
    const { last, changed } = await untilChanged(options, now);
    if (options.once) context.exitStatus = exitStatusOf(last.status);
    if (!changed) return;
    context.output.note("The configuration has changed; watching under what is in force now");
  }
}

/** Watches until the end, or until another configuration is in force. */
async function untilChanged(
  options: Options,
  context: Context,
): Promise<{ last: HealthReport; changed: boolean }> {
  if (options.once) return { last: await watch(options, context), changed: false };
  const ending = new AbortController();
  const end = (): void => ending.abort();
  const signal = AbortSignal.any([context.signal, ending.signal]);
  const onInvalid = (why: string): void =>
    context.output.note(`What is in force goes on, since the new configuration is invalid: ${why}`);
  const deps = { clock: systemClock, onInvalid };
  const change = untilConfigChanges(context.config(), context.loadOptions, deps, signal);
  const [watched, noticed] = await Promise.allSettled([
    watch(options, { ...context, signal }).finally(end),
    change.finally(end),
  ]);
  if (watched.status === "rejected") throw watched.reason;
  const changed = noticed.status === "fulfilled";
  if (!changed && noticed.reason !== signal.reason) throw noticed.reason;
  return { last: watched.value, changed };
}

/** Read at once, so that every part of the command sees the same. */
function reread({ loadOptions }: Context): Context["config"] {
  const loaded = loadConfig(loadOptions);
  return () => loaded;
}

async function watch(options: Options, context: Context): Promise<HealthReport> {
  const { output } = context;
  const address = options.listen === undefined ? undefined : listenAddress(options.listen);
  const { config } = context.config();
  const intervalMs = options.interval ?? durationMs(config.health.interval);
  return runMonitor(
    {
      intervalMs,
      alerts: options.alerts ?? false,
      once: options.once ?? false,
      recover: options.recover,
    },
    context,
    {
      view: (report) => viewOf(options, context, report),
      onUp: async (parts, report) => {
        if (address === undefined) return () => Promise.resolve();
        const { token } = config.health;
        const listener = new HealthListener(
          {
            ...address,
            token: token === undefined ? undefined : readSecret(token, context.environment),
            intervalMs,
            version: version(),
          },
          {
            report,
            metrics: (accept) => metricsOf(parts, accept),
            lookAgeMs: () => lookAge(report()),
          },
        );
        output.note(`listening on ${await listener.open()}`);
        return () => listener.close();
      },
    },
  );
}

function viewOf(
  { once = false }: Options,
  context: Context,
  report: () => HealthReport,
): MonitorView {
  const { output } = context;
  const { collection_name: name, mode } = context.config().config.vector_store.config;
  const screen = process.stdout.isTTY && !once && !output.json && process.env["TERM"] !== "dumb";
  return screen ? screenView(output, `${mode} Chroma, ${name}`, report) : lineView(output);
}

function metricsOf(parts: Parts, accept: string): { text: string; contentType: string } {
  const format = accept.includes("application/openmetrics-text") ? "openmetrics" : "prometheus";
  return { text: exportMetrics(parts, format), contentType: TEXT_CONTENT_TYPES[format] };
}

function lookAge({ checks }: HealthReport): number | undefined {
  const ages = checks.flatMap(({ ageMs }) => (ageMs === undefined ? [] : [ageMs]));
  return ages.length === 0 ? undefined : Math.min(...ages);
}

function interval(text: string): number {
  const ms = durationMs(text);
  if (ms < 100) throw usage(`${text} is too short an interval`, "Give at least 100ms.");
  return ms;
}
