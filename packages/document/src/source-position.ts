export interface Position {
  line: number;
  column: number;
}

/** Finds the line and column, from 1, of offsets in `text`; made once for many. */
export function positionsIn(text: string): (offset: number) => Position {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return (offset) => {
    const at = Math.min(Math.max(0, offset), text.length);
    let [first, last] = [0, starts.length - 1];
    while (first < last) {
      const middle = Math.ceil((first + last) / 2);
      if ((starts[middle] ?? 0) <= at) first = middle;
      else last = middle - 1;
    }
    return { line: first + 1, column: at - (starts[first] ?? 0) + 1 };
  };
}

/** Line and column, from 1, of an offset in `text`. */
export function positionAt(text: string, offset: number): Position {
  return positionsIn(text)(offset);
}
