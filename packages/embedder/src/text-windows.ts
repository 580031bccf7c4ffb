export interface WindowOptions {
  /** Tokens that the model reads of one window; it ignores the rest. */
  tokensMax: number;
  /** Windows made of one text; what follows is left out. */
  windowsMax: number;
  /** Tokens of one piece of text. */
  countTokens: (piece: string) => number;
}

/** Longer runs without a space are cut, since tokenizing is quadratic in a run's length. */
const PIECE_LENGTH_MAX = 64;

/**
 * Cuts a text at spaces into consecutive windows that the model can read whole. Never empty: a
 * text without anything to read becomes one window of one space.
 */
export function textWindows(text: string, options: WindowOptions): string[] {
  const windows: string[] = [];
  let current = "";
  let currentTokens = 0;
  for (const piece of pieces(readableText(text))) {
    const tokens = options.countTokens(piece.text);
    if (current !== "" && currentTokens + tokens > options.tokensMax) {
      windows.push(current);
      if (windows.length === options.windowsMax) return windows;
      current = "";
      currentTokens = 0;
    }
    current += current === "" || piece.continues ? piece.text : ` ${piece.text}`;
    currentTokens += tokens;
  }
  if (current !== "" || windows.length === 0) windows.push(current === "" ? " " : current);
  return windows;
}

/** The model was trained on cased text, yet tells paraphrases apart better in lower case. */
function readableText(text: string): string {
  return text.toWellFormed().normalize("NFKC").toLowerCase();
}

function* pieces(text: string): Generator<{ text: string; continues: boolean }> {
  for (const match of text.matchAll(/[^\s\p{Cc}]+/gu)) {
    const run = match[0];
    if (run.length <= PIECE_LENGTH_MAX) {
      yield { text: run, continues: false };
      continue;
    }
    const symbols = Array.from(run);
    for (let start = 0; start < symbols.length; start += PIECE_LENGTH_MAX) {
      const piece = symbols.slice(start, start + PIECE_LENGTH_MAX).join("");
      yield { text: piece, continues: start > 0 };
    }
  }
}
