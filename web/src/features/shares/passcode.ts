/** Passcodes: made at random, and what is to be thought of one that somebody chose. */

export const SHORTEST = 6;

/** Letters and digits that nobody mixes up, on paper or by telephone: no 0 and o, no 1, i and l. */
const LETTERS = "abcdefghjkmnpqrstuvwxyz23456789";
const GROUPS = 3;
const GROUP = 4;

/** `k7mp-4xqh-t2ve`: twelve of 31 letters, 59 bits. `random` fills an array with random bytes. */
export function makePasscode(random: (bytes: Uint8Array) => Uint8Array = (bytes) => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>)): string {
  const letters: string[] = [];
  // Bytes past the last whole multiple are thrown away: else the first letters would come more often.
  const usable = 256 - (256 % LETTERS.length);
  while (letters.length < GROUPS * GROUP) {
    for (const byte of random(new Uint8Array(32))) {
      if (byte < usable && letters.length < GROUPS * GROUP) letters.push(LETTERS.charAt(byte % LETTERS.length));
    }
  }
  return Array.from({ length: GROUPS }, (_, place) => letters.slice(place * GROUP, (place + 1) * GROUP).join("")).join("-");
}

export type Strength = "short" | "weak" | "fair" | "good";

const COMMON = ["password", "passcode", "passwort", "qwerty", "letmein", "welcome", "secret", "hospital", "radiology", "xray"];

/** How hard it is to guess with the hundred tries that a link allows, or by whoever knows people. */
export function strengthOf(passcode: string): Strength {
  if (passcode.length < SHORTEST) return "short";
  const plain = passcode.toLowerCase();
  const distinct = new Set(plain).size;
  if (distinct < 4 || isRun(plain) || COMMON.some((word) => plain.includes(word)) || isDate(plain)) return "weak";
  if (passcode.length < 10 || distinct < 6) return "fair";
  return "good";
}

export const STRENGTH_WORDS: Record<Strength, string> = {
  short: `Too short: it needs ${SHORTEST} characters at least.`,
  weak: "Easy to guess: a word, a date or a row of keys is what people try first.",
  fair: "Fair: enough for a link that ends soon. Longer is better.",
  good: "Good: nobody guesses this.",
};

/** `123456`, `abcdef`, `987654`. */
function isRun(text: string): boolean {
  const codes = Array.from(text, (letter) => letter.codePointAt(0) ?? 0);
  const steps = codes.slice(1).map((code, place) => code - (codes[place] ?? 0));
  return steps.every((step) => step === 1) || steps.every((step) => step === -1);
}

/** Eight digits that are a day of the last hundred years, in either order, or six of them. */
function isDate(text: string): boolean {
  const digits = text.replaceAll(/[-./ ]/g, "");
  return /^(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])$/.test(digits) || /^(0[1-9]|[12]\d|3[01])(0[1-9]|1[0-2])((19|20)\d\d|\d\d)$/.test(digits);
}
