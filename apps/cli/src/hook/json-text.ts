/** Edits to the text of a JSON document that leave all else in it as it was written. */

export interface Style {
  indent: string;
  lineBreak: string;
}

export interface Member {
  /** Undefined in a list. */
  key: string | undefined;
  /** Where it begins, its key included; where its value does; where that ends. */
  start: number;
  value: number;
  end: number;
}

/** As a text is written, or as most are. */
export function styleOf(text: string): Style {
  const indent = /^([ \t]+)"/m.exec(text)?.[1] ?? "  ";
  return { indent, lineBreak: text.includes("\r\n") ? "\r\n" : "\n" };
}

/** The members of the object or list that begins at `open`, in a text that is known to be JSON. */
export function membersAt(text: string, open: number): Member[] {
  const isObject = text[open] === "{";
  const members: Member[] = [];
  let at = afterBlanks(text, open + 1);
  while (text[at] !== "}" && text[at] !== "]") {
    const start = at;
    let key: string | undefined;
    if (isObject) {
      const end = endOfValue(text, at);
      key = JSON.parse(text.slice(at, end)) as string;
      at = afterBlanks(text, afterBlanks(text, end) + 1);
    }
    const end = endOfValue(text, at);
    members.push({ key, start, value: at, end });
    at = afterBlanks(text, end);
    if (text[at] === ",") at = afterBlanks(text, at + 1);
  }
  return members;
}

/** The member that counts under a key: of several, the last. */
export function memberAt(text: string, open: number, key: string): Member | undefined {
  return membersAt(text, open).findLast((member) => member.key === key);
}

/** With one more member at the end of the object or list that begins at `open`, `depth` deep. */
export function appended(
  text: string,
  open: number,
  { key, value, depth }: { key?: string; value: unknown; depth: number },
  { indent, lineBreak }: Style,
): string {
  const margin = lineBreak + indent.repeat(depth + 1);
  const name = key === undefined ? "" : `${JSON.stringify(key)}: `;
  const written = name + JSON.stringify(value, undefined, indent).replaceAll("\n", margin);
  const last = membersAt(text, open).at(-1);
  if (last !== undefined)
    return `${text.slice(0, last.end)},${margin}${written}${text.slice(last.end)}`;
  const end = lineBreak + indent.repeat(depth);
  return text.slice(0, open + 1) + margin + written + end + text.slice(open + 1);
}

/** Without one member of the object or list that begins at `open`: undoes `appended`. */
export function removed(
  text: string,
  open: number,
  { index, depth }: { index: number; depth: number },
  { indent, lineBreak }: Style,
): string {
  const members = membersAt(text, open);
  const [before, member, after] = [members[index - 1], members[index], members[index + 1]];
  if (member === undefined) return text;
  if (before !== undefined) return text.slice(0, before.end) + text.slice(member.end);
  if (after !== undefined) return text.slice(0, member.start) + text.slice(after.start);
  const end = lineBreak + indent.repeat(depth);
  const rest = text.slice(member.end);
  return text.slice(0, open + 1) + (rest.startsWith(end) ? rest.slice(end.length) : rest);
}

function endOfValue(text: string, at: number): number {
  const token = /"(?:[^"\\]|\\.)*"|[{}[\]]|[^\s"{}[\],:]+/g;
  token.lastIndex = at;
  let depth = 0;
  do {
    const [found = ""] = token.exec(text) ?? [];
    if (found === "{" || found === "[") depth += 1;
    else if (found === "}" || found === "]") depth -= 1;
  } while (depth > 0);
  return token.lastIndex;
}

function afterBlanks(text: string, at: number): number {
  let end = at;
  while (/\s/.test(text[end] ?? "x")) end += 1;
  return end;
}
