/** Whether a run of characters was drawn by chance, as keys are, rather than written or named. */

const CANDIDATE = /[A-Za-z0-9_+/-]{20,}={0,2}/g;
const LENGTH_MIN = 20;
const LENGTH_MAX = 4_096;
/** Bits a character: of twenty random letters and digits, nearly all have more. */
const ENTROPY_BITS_MIN = 3.4;
/** Of pairs of neighbouring letters, how many may be common ones: words have about 0.7. */
const COMMON_PAIRS_MAX = 0.45;
/** Without a digit it may be an acronym in camel case. */
const WORDLESS_PAIRS_MAX = 0.2;
const COMMON_PAIRS = new Set(
  (
    "th he in er an re nd on en at ou ed ha to or it is hi es ng st ar te se me ve of nt ti al le " +
    "io de ra ro li ri ic ne ea co ll la ur ec om ma ca el ch el si tr us ta di ns ge em et as ot " +
    "ac pe so un po il pr no ct ai ad wh ho ut ce lo be ly ss su id ee ie mo ul pa ol im am op ul " +
    "sh we ts fo ke ab ap ir ev ig pl sc ow vi ck fi sp ag ob ty up ex ey ay ns ub fe mp nc ga"
  ).split(" "),
);

/** What is an identifier by its form, and opens nothing. */
const IDENTIFIERS: readonly RegExp[] = [
  // Hexadecimal: commits, checksums, UUIDs. A secret among them shows by its name.
  /^[0-9a-f-]+$/i,
  // ULID.
  /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/i,
  /^(?:sha(?:1|256|384|512)|md5)-/i,
  /^(?:toolu|msg|req|call|chatcmpl|resp|run|thread|asst|file|evt|cus|acct|price|prod|sub|org|proj|session|srvtoolu|batch|wrkspc|user|build|dpl|prj|team)[-_]/,
];

/** Runs of `text` that are random, with where they begin. */
export function randomRuns(text: string): { at: number; run: string }[] {
  const found: { at: number; run: string }[] = [];
  for (const match of text.matchAll(CANDIDATE)) {
    const [whole] = match;
    if (isDataAddress(text, match.index)) continue;
    let at = match.index;
    // What a path leads through is named part by part; elsewhere a / is a digit of base64.
    for (const run of isPath(text, at) ? whole.split("/") : [whole]) {
      if (run.length >= LENGTH_MIN && run.length <= LENGTH_MAX && isRandom(run))
        found.push({ at, run });
      at += run.length + 1;
    }
  }
  return found;
}

/** Whether the word that reaches to or over `at` began as an address or a path. */
function isPath(text: string, at: number): boolean {
  const before = text.slice(Math.max(0, at - 300), at + 2);
  const word = /[^\s"'`<>(,=]*$/.exec(before)?.[0] ?? "";
  return word.includes("://") || /^(?:~|\.{0,2})\//.test(word);
}

function isRandom(run: string): boolean {
  if (IDENTIFIERS.some((form) => form.test(run))) return false;
  const letters = run.replaceAll(/[^A-Za-z]/g, "").length;
  const digits = run.replaceAll(/\D/g, "").length;
  if (letters < run.length * 0.4) return false;
  const mixed = /[a-z]/.test(run) && /[A-Z]/.test(run);
  if (digits === 0 && !mixed) return false;
  // Words with dashes between, as branches and anchors have them.
  if (!mixed && run.split(/[-_/]/).every((part) => part.length < 16)) return false;
  if (shannonBits(run) < ENTROPY_BITS_MIN) return false;
  const changes = changesOfClass(run);
  // Words have long stretches of one case; so do constants.
  if (changes < 0.22) return false;
  return commonPairs(run) <= (digits === 0 ? WORDLESS_PAIRS_MAX : COMMON_PAIRS_MAX);
}

function isDataAddress(text: string, at: number): boolean {
  return /(?:;base64,|sha\d{1,3}[-:])$/.test(text.slice(Math.max(0, at - 12), at));
}

function shannonBits(run: string): number {
  const counts = new Map<string, number>();
  for (const character of run) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) {
    const share = count / run.length;
    bits -= share * Math.log2(share);
  }
  return bits;
}

/** How often neighbours are of different classes: lower case, upper case, digit, other. */
function changesOfClass(run: string): number {
  let changes = 0;
  for (let at = 1; at < run.length; at += 1) {
    if (classOf(run.charCodeAt(at)) !== classOf(run.charCodeAt(at - 1))) changes += 1;
  }
  return changes / (run.length - 1);
}

function classOf(code: number): number {
  if (code >= 97 && code <= 122) return 0;
  if (code >= 65 && code <= 90) return 1;
  return code >= 48 && code <= 57 ? 2 : 3;
}

/** The share of common pairs among neighbouring letters; few pairs say nothing. */
function commonPairs(run: string): number {
  const pairs = [...run.toLowerCase().matchAll(/(?=([a-z]{2}))/g)].map((match) => match[1] ?? "");
  if (pairs.length < 3) return 0;
  return pairs.filter((pair) => COMMON_PAIRS.has(pair)).length / pairs.length;
}
