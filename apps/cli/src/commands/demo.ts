import { existsSync } from "node:fs";
import type { Command } from "commander";
import { formatDuration } from "@holdfast/core";
import { backup } from "../demo/backup.ts";
import { type Claim } from "../demo/claims.ts";
import { fairWeather } from "../demo/fair-weather.ts";
import { outage } from "../demo/outage.ts";
import { recovery } from "../demo/recovery.ts";
import { act, type Scene, tell } from "../demo/scene.ts";
import { Stage } from "../demo/stage.ts";
import type { Context } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { example } from "../help.ts";
import { columns, type Output } from "../output.ts";
import { tellInstall } from "../tell-install.ts";

export function register(command: Command, context: Context): void {
  command.action(() => demo(context));
  example(command, ["holdfast demo", "holdfast demo --json --quiet"]);
}

async function demo(context: Context): Promise<void> {
  const { output } = context;
  const began = performance.now();
  output.say(
    output.paint(
      "bold",
      "Holdfast: memory that is never lost, on a real Chroma, in a temporary folder.",
    ),
  );
  const claims = await play(context);
  const held = claims.filter((one) => one.held).length;
  const proved = held === claims.length;
  if (!proved) context.exitStatus = EXIT.failed;
  const tookMs = Math.round(performance.now() - began);
  output.result({ proved, claims, tookMs }, closing(claims, tookMs, output));
}

/** Every act in turn; whatever happens, nothing of it is left behind. */
async function play(context: Context): Promise<Claim[]> {
  const stage = new Stage((progress) => tellInstall(progress, context.output));
  const claims: Claim[] = [];
  try {
    await perform(context, stage, claims);
  } finally {
    await stage[Symbol.asyncDispose]();
  }
  const survivors = stage.survivors();
  const left = existsSync(stage.folder);
  claims.push({
    claim: "Nothing is left behind",
    evidence: `folder ${left ? "still there" : "gone"}, ${survivors.length} processes left`,
    held: !left && survivors.length === 0,
  });
  return claims;
}

async function perform(context: Context, stage: Stage, claims: Claim[]): Promise<void> {
  const { output, signal } = context;
  act({ output }, 1, "Start a real Chroma");
  const { pid, version, port } = await stage.startServer(signal);
  tell({ output }, `Chroma ${version} answers on 127.0.0.1:${port}, pid ${pid}.`);
  tell({ output }, `Its data is in ${stage.dataDirectory}`);
  const parts = await stage.open();
  const scene: Scene = { output, signal, stage, parts, accepted: new Map(), claims };
  await fairWeather(scene);
  await outage(scene);
  await recovery(scene);
  await backup(scene);
}

function closing(claims: readonly Claim[], tookMs: number, output: Output): string {
  const rows = claims.map((one) => [one.held ? "held" : "FAILED", one.claim, one.evidence]);
  const failed = claims.filter((one) => !one.held).length;
  const verdict =
    failed === 0
      ? output.paint(["green", "bold"], `All ${claims.length} held, in ${formatDuration(tookMs)}.`)
      : output.paint(["red", "bold"], `${failed} of ${claims.length} did not hold.`);
  const table = columns([["", "WHAT WAS TO BE PROVED", "WHAT WAS SEEN"], ...rows])
    .replaceAll(/^held/gm, output.paint("green", "held"))
    .replaceAll(/^FAILED/gm, output.paint(["red", "bold"], "FAILED"));
  return ["", table, "", verdict, "", "Next, with your own:", ...NEXT].join("\n");
}

const NEXT = [
  "  holdfast init                                   a workspace in this folder",
  '  holdfast memory add "The build needs Node 24"   remember something',
  '  holdfast memory search "what the build needs"   recall it',
  "  holdfast memory status                          how it fares, and why",
];
