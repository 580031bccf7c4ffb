export interface Position {
  line: number;
  column: number;
}

/** Line and column, from 1, of an offset in `text`. */
export function positionAt(text: string, offset: number): Position {
  const before = text.slice(0, Math.max(0, offset));
  const lineStart = before.lastIndexOf("\n") + 1;
  let line = 1;
  for (const character of before) if (character === "\n") line += 1;
  return { line, column: before.length - lineStart + 1 };
}
