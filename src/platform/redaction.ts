/**
 * The one sink through which text passes before it is logged or printed. It masks secrets that were registered, in every
 * spelling they may take on the way (Base64 at any offset, percent-encoded, JSON- or XML-escaped), and, by their shape,
 * BitLocker keys, SAS signatures and account keys that nobody registered.
 */
const MASK = "***";

/** 8 groups of 6 digits; the last group stays readable so that people can tell keys apart. */
const BITLOCKER_KEY = /(?<!\d)\d{6}(?:[ -]?\d{6}){6}[ -]?(\d{6})(?!\d)/g;
/** The signature of a SAS, plain or percent-encoded as part of another URL. */
const SAS_SIGNATURE = /(?:\b|(?<=%[0-9a-f]{2}))(sig(?:=|%3d))(?:(?!%26)[^&\s"'<>\\;,])+/gi;
const CONNECTION_SECRET = /\b((?:AccountKey|SharedAccessKey)\s*=\s*)[^;\s"'<>]+/gi;
/** 64 bytes in Base64, standard or URL alphabet, possibly percent-encoded: the form of a storage account key. */
const ACCOUNT_KEY = /(?:[A-Za-z0-9+/_-]|%2[bf]){86,}(?:==|%3d%3d)/gi;

export class Redactor {
  readonly #spellings = new Set<string>();
  #pattern: RegExp | undefined;

  /** Registers a secret. Empty ones are ignored: they would match everywhere. */
  add(secret: string): void {
    if (secret === "") return;
    for (const spelling of spellingsOf(secret)) this.#spellings.add(spelling);
    const longestFirst = [...this.#spellings].sort((a, b) => b.length - a.length);
    this.#pattern = new RegExp(longestFirst.map(escapeForRegExp).join("|"), "g");
  }

  /** The text without secrets. */
  redact(text: string): string {
    let result = text.replace(BITLOCKER_KEY, (_key, lastGroup: string) => `${"******-".repeat(7)}${lastGroup}`);
    if (this.#pattern !== undefined) result = result.replace(this.#pattern, MASK);
    return result
      .replace(SAS_SIGNATURE, `$1${MASK}`)
      .replace(CONNECTION_SECRET, `$1${MASK}`)
      .replace(ACCOUNT_KEY, MASK);
  }

  /** A copy of a JSON value in which every string, names of members included, is redacted. */
  redactValue(value: unknown): unknown {
    if (typeof value === "string") return this.redact(value);
    if (Array.isArray(value)) return value.map((item) => this.redactValue(item));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [this.redact(name), this.redactValue(item)]));
  }
}

/** Every spelling under which the secret could appear in a text. */
function spellingsOf(secret: string): string[] {
  const bytes = Buffer.from(secret, "utf8");
  const plain = [secret, jsonEscaped(secret), jsonEscaped(jsonEscaped(secret)), xmlEscaped(secret)];
  const encoded = [...base64Spellings(bytes), bytes.length < 4 ? [] : bytes.toString("hex")].flat();
  const percent = [...plain.slice(0, 1), ...encoded].flatMap(percentEncoded);
  return [...plain, ...encoded, ...encoded.map((text) => text.toUpperCase()).filter((text) => /^[0-9A-F]+$/.test(text))]
    .concat(percent)
    .filter((spelling) => spelling !== "");
}

/**
 * The Base64 characters that depend on the secret alone, for each of the three offsets at which it may start inside a
 * longer encoded text (`user:secret` of a basic authorisation, for example), in both alphabets.
 */
function base64Spellings(bytes: Buffer): string[] {
  if (bytes.length < 6) return [];
  return [0, 1, 2].flatMap((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64");
    const inner = encoded.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6));
    return [inner, inner.replaceAll("+", "-").replaceAll("/", "_")];
  });
}

function percentEncoded(text: string): string[] {
  // A lone surrogate cannot be percent-encoded; toWellFormed is not in Node 20's type library.
  const encoded = encodeURIComponent(Buffer.from(text, "utf8").toString("utf8"));
  return [encoded, encoded.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()), encoded.replaceAll("%20", "+")];
}

function jsonEscaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function xmlEscaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&apos;");
}

function escapeForRegExp(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}
