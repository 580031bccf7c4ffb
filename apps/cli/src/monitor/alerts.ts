import { type Config, readSecret } from "@holdfast/config";
import { durationMs, formatDuration } from "@holdfast/core";
import { Notifier } from "@holdfast/notify";
import { causeOf, type HealthReport, type SupervisorEvent } from "@holdfast/recovery";
import { alertChannels } from "../alert-channels.ts";
import { FORESEEING } from "./foresight.ts";

type AlertsConfig = Config["alerts"];
type Occasion = AlertsConfig["on"][number];

const SUBJECT = "memory-store";
/** A channel that hangs must not keep a monitor from ending. */
const FLUSH_LIMIT_MS = 15_000;

export interface AlertsDeps {
  environment: NodeJS.ProcessEnv;
  /** Told of each alert that could not be delivered. */
  onUndelivered: (line: string) => void;
}

/** Tells people what a supervisor sees, as `alerts` of the configuration wants it. */
export class Alerts {
  readonly #notifier: Notifier;
  readonly #on: ReadonlySet<Occasion>;

  constructor(alerts: AlertsConfig, deps: AlertsDeps) {
    this.#on = new Set(alerts.on);
    this.#notifier = new Notifier(
      { cooldownMs: durationMs(alerts.cooldown) },
      {
        channels: alertChannels(
          { alerts },
          { readSecret: (reference) => readSecret(reference, deps.environment) },
        ),
        onUndelivered: ({ channel, error }) =>
          deps.onUndelivered(
            `${channel} was not told: ${(error as Error | undefined)?.message ?? "no reason"}`,
          ),
      },
    );
  }

  see(event: SupervisorEvent): void {
    if (event.type === "exit")
      this.#tell("down", "critical", event.exit.how, "it is started again");
    else if (event.type === "status") this.#onStatus(event.to, event.report);
    else if (event.type === "checked") this.#onChecked(event.report);
    else if (event.type === "recovered") this.#over("down", recoveredAfter(event.downMs));
    else if (event.type === "gave-up") {
      const next = event.hint === undefined ? "" : ` (next: ${event.hint})`;
      this.#tell("gave_up", "critical", "Holdfast has given up", `${event.message}${next}`);
    }
    if (event.type === "recovered") this.#over("gave_up", recoveredAfter(event.downMs));
  }

  /** Waits until what was to be told is told, but not for ever. */
  async flush(): Promise<void> {
    const limit = AbortSignal.timeout(FLUSH_LIMIT_MS);
    const late = new Promise<void>((resolve) =>
      limit.addEventListener("abort", () => resolve(), { once: true }),
    );
    await Promise.race([this.#notifier.flush(), late]);
  }

  #onStatus(status: HealthReport["status"], report: HealthReport): void {
    const cause = causeOf(report);
    const isDown = status === "offline" || status === "unhealthy";
    if (isDown) this.#tell("down", "critical", `The memory store is ${status}`, cause);
    if (status === "degraded")
      this.#tell("degraded", "warning", "The memory store is degraded", cause);
    if (status === "unknown")
      this.#tell("unknown", "warning", "Nobody knows how the memory store is", cause);
    // What has become worse is not over.
    if (status === "healthy") this.#over("degraded", "it is healthy");
    if (status === "healthy" || status === "degraded") this.#over("unknown", `it is ${status}`);
  }

  #onChecked({ status, checks }: HealthReport): void {
    // What is here already is no longer foreseen.
    if (status === "offline" || status === "unhealthy") return;
    for (const { check, last } of checks.filter(({ check: name }) => FORESEEING.includes(name))) {
      const subject = `foreseen/${check}` as const;
      if (last.status === "warn") this.#tell(subject, "warning", "Trouble ahead", last.message);
      else this.#over(subject, last.message);
    }
  }

  #tell(
    subject: Occasion | `foreseen/${string}`,
    severity: "warning" | "critical",
    title: string,
    message: string,
  ): void {
    const occasion = subject.split("/")[0] as Occasion;
    if (!this.#on.has(occasion)) return;
    void this.#notifier.notify({ subject: `${SUBJECT}/${subject}`, severity, title, message });
  }

  #over(subject: Occasion | `foreseen/${string}`, message: string): void {
    void this.#notifier.resolve(`${SUBJECT}/${subject}`, { message });
  }
}

function recoveredAfter(downMs: number): string {
  return `it serves again, after ${formatDuration(downMs)}`;
}
