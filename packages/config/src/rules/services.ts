import type { YamlNode } from "@holdfast/document";
import { entryAt, scalar } from "./entry-at.ts";
import type { Rule, RuleFinding } from "./rule.ts";

const WAYS = ["http", "tcp", "command"];
const NEEDS: Readonly<Record<string, string>> = {
  file: "path",
  command: "command",
  webhook: "url",
};

/** What the schema cannot say of checks, channels and the ways to restart. */
export const serviceRules: readonly Rule[] = [oneWayToLook, channelNeedsItsPlace, oneWayToRestart];

function oneWayToLook(root: YamlNode): RuleFinding[] {
  const services = entryAt(root, "health.services")?.value;
  if (services?.kind !== "map") return [];
  return [...services.entries].flatMap(([name, { value, keyOffset: offset }]): RuleFinding[] => {
    const given = value.kind === "map" ? WAYS.filter((way) => value.entries.has(way)) : [];
    if (given.length === 1) return [];
    const path = `health.services.${name}`;
    const message =
      given.length === 0 ? "has no way to be looked at" : `has ${given.join(" and ")}`;
    const expected = "exactly one of http, tcp and command";
    return [{ severity: "error", rule: "one-way-to-look", offset, path, message, expected }];
  });
}

function channelNeedsItsPlace(root: YamlNode): RuleFinding[] {
  const channels = entryAt(root, "alerts.channels")?.value;
  if (channels?.kind !== "list") return [];
  return channels.items.flatMap((channel, index): RuleFinding[] => {
    const needed = NEEDS[String(scalar(entryAt(channel, "type")))];
    if (needed === undefined || entryAt(channel, needed) !== undefined) return [];
    const path = `alerts.channels[${index}]`;
    const { offset } = channel;
    const message = `needs ${needed}`;
    const expected = `a line ${needed}: … beside its type`;
    return [{ severity: "error", rule: "channel-needs-place", offset, path, message, expected }];
  });
}

function oneWayToRestart(root: YamlNode): RuleFinding[] {
  const unit = entryAt(root, "recovery.restart_unit");
  if (unit === undefined || entryAt(root, "recovery.restart_command") === undefined) return [];
  return [
    {
      severity: "error",
      rule: "one-way-to-restart",
      offset: unit.keyOffset,
      path: "recovery.restart_unit",
      message: "stands beside restart_command",
      expected: "one of the two",
    },
  ];
}
