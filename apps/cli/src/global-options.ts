/** The options that every command takes. */
export interface GlobalOptions {
  config: string | undefined;
  env: string | undefined;
  /** Each `path=value`. */
  set: string[];
  json: boolean;
  quiet: boolean;
  verbose: boolean;
  colour: boolean;
  input: boolean;
  trigger: boolean;
}

/** As the help shows them; commander checks them. */
export const GLOBAL_OPTIONS: readonly (readonly [string, string])[] = [
  ["--config <file>", "use this configuration file"],
  ["--env <name>", "use the configuration deployed for this environment"],
  ["--set <key=value>", "set a key of the configuration for this command; may be repeated"],
  ["--json", "answer with one JSON object on stdout"],
  ["--quiet", "no progress and no notes"],
  ["--verbose", "say more, with stack traces of errors"],
  ["--no-color", "no colours"],
  ["--no-input", "never ask"],
  ["--no-trigger", "do not remember this command"],
];

/**
 * Reads them ahead of commander, since they decide how even a wrong command line is answered.
 */
export function globalOptions(argv: readonly string[]): GlobalOptions {
  const end = argv.indexOf("--");
  const own = end === -1 ? argv : argv.slice(0, end);
  const valuesOf = (flag: string): string[] =>
    own.flatMap((word, at) => {
      if (word.startsWith(`${flag}=`)) return [word.slice(flag.length + 1)];
      return word === flag ? (own[at + 1] ?? []) : [];
    });
  return {
    config: valuesOf("--config").at(-1),
    env: valuesOf("--env").at(-1),
    set: valuesOf("--set"),
    json: own.includes("--json"),
    quiet: own.includes("--quiet"),
    verbose: own.includes("--verbose"),
    colour: !own.includes("--no-color"),
    input: !own.includes("--no-input"),
    trigger: !own.includes("--no-trigger"),
  };
}

/** Whether an argument is a global option whose value is the next one. */
export function takesNext(argument: string | undefined): boolean {
  return argument === "--config" || argument === "--env" || argument === "--set";
}

/** The words of an argument list that are neither options nor values of global ones. */
export function commandWords(argv: readonly string[]): string[] {
  const words: string[] = [];
  for (let at = 0; at < argv.length; at += 1) {
    const argument = argv[at] ?? "";
    if (argument === "--") break;
    if (takesNext(argument)) at += 1;
    else if (!argument.startsWith("-")) words.push(argument);
  }
  return words[0] === "help" ? words.slice(1) : words;
}
