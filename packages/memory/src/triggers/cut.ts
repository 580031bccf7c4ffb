/** Takes secrets out of a text. */
export type Redact = (text: string) => string;

/** Looked at beyond what is kept of a text, in characters: a private key fits in. */
export const CUT_MARGIN = 8_192;

/** Both ends of a text that is too long: what it began with, and how it ended. */
export function cut(text: string, lengthMax: number): string {
  const whole = text.toWellFormed();
  if (whole.length <= lengthMax) return whole;
  const half = Math.max(1, Math.floor((lengthMax - 3) / 2));
  return `${whole.slice(0, half)} … ${whole.slice(whole.length - half)}`.toWellFormed();
}

/**
 * As `cut`, of a text without its secrets, since no pattern knows half a secret; a text that is short
 * enough is left as it is. However long it is, no more is looked at than a margin around the gap.
 */
export function redactedCut(text: string, lengthMax: number, redact: Redact): string {
  if (text.length <= lengthMax) return text.toWellFormed();
  const reach = Math.ceil(lengthMax / 2) + CUT_MARGIN;
  if (text.length <= reach * 2) return cut(redact(text), lengthMax);
  return cut(redact(`${beginning(text, reach)} … ${ending(text, reach)}`), lengthMax);
}

/** The beginning of a text, of at most `lengthMax` characters, to the end of a word. */
function beginning(text: string, lengthMax: number): string {
  let end = lengthMax;
  while (end > lengthMax - CUT_MARGIN && !isBlank(text[end])) end -= 1;
  return text.slice(0, end);
}

/**
 * The end of a text, of at most `lengthMax` characters, from the beginning of a line: what stands
 * before it may have been the name of a secret. Of a word where lines are longer than the margin.
 */
function ending(text: string, lengthMax: number): string {
  const rest = text.slice(-lengthMax);
  if (rest.length === text.length) return text;
  const lead = rest.slice(0, CUT_MARGIN);
  const line = lead.search(/[\r\n]/);
  const word = lead.search(/\s/);
  return rest.slice((line === -1 ? (word === -1 ? lead.length : word) : line) + 1);
}

function isBlank(character: string | undefined): boolean {
  return character === undefined || /\s/.test(character);
}
