import type { ConfigChange } from "@holdfast/config/deploy";
import { type Output, printable } from "../output.ts";
import { shownText } from "../shown-value.ts";

/** Changes as they may be shown. */
export function withoutSecrets(changes: readonly ConfigChange[]): ConfigChange[] {
  const clean = (value: string | undefined): string | undefined =>
    value === undefined ? undefined : shownText(value);
  return changes.map((change) => ({
    ...change,
    before: clean(change.before),
    after: clean(change.after),
  }));
}

/** Changes as people read them, one key a line; what a rollback would not undo stands below. */
export function changesText(changes: readonly ConfigChange[], output: Output): string[] {
  return withoutSecrets(changes).flatMap(({ path, before, after, irreversible }) => {
    const [sign, colour, values] =
      before === undefined
        ? (["+", "green", after] as const)
        : after === undefined
          ? (["-", "red", before] as const)
          : (["~", "yellow", `${before} → ${after}`] as const);
    return [
      `  ${output.paint(colour, sign)} ${printable(`${path}: ${values}`)}`,
      ...(irreversible === undefined ? [] : [`      not undone by a rollback: ${irreversible}`]),
    ];
  });
}
