/**
 * Reads a copy log of any generation as a stream, entry by entry: liberal in the order and completeness of what samples
 * of the service differ in, strict in what only damage or an attacker would write (DOCTYPE, processing instructions,
 * endless names, endless nesting), which is refused with its position.
 *
 * The generation of 2021 has no common root, so everything is parsed as an XML fragment and the roots are checked here.
 */
import { isUtf8 } from "node:buffer";
import { constants } from "node:fs";
import { type SaxesOptions, SaxesParser, type SaxesTagPlain } from "saxes";
import { AppError, DamagedError, describeErrno, UsageError } from "../platform/app-error.ts";
import type { FileSystem } from "../platform/file-system.ts";
import type { CopyLogFacts, LogEntry } from "./copy-log-model.ts";
import { type LogElement, LogProblem } from "./log-element.ts";
import { LogInterpreter } from "./log-interpreter.ts";
import { clipText } from "./log-text.ts";

const CHUNK_BYTES = 64 * 1024;
/** The most that may pass between two tags or texts. */
const MAX_TOKEN_BYTES = 256 * 1024;
const MAX_TEXT_UNITS = 64 * 1024;
const MAX_ATTRIBUTE_UNITS = 64 * 1024;
const MAX_ATTRIBUTES = 32;
/** `DriveLog`, `Blob`, a list and its items are four; nothing known has more. */
const MAX_DEPTH = 8;
const NOT_BLANK = /[^ \t\r\n]/;
/** A fragment has no declaration, so it is taken out, leaving blanks that keep the positions. */
const DECLARATION = /^\ufeff?[ \t\r\n]*<\?xml\s[^>]{0,200}\?>/;

/** Called in the order of the log. What it throws ends the reading and passes through. */
export type LogEntryHandler = (entry: LogEntry) => void;

/** Reads the log at `path` from beginning to end. Throws COPY_LOG_UNREADABLE and COPY_LOG_INVALID. */
export function readCopyLog(fs: FileSystem, path: string, onEntry: LogEntryHandler): CopyLogFacts {
  const fd = openLog(fs, path);
  try {
    const parser = new LogParser(path, onEntry);
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES + 4);
    for (let position = 0, carried = 0; ; ) {
      const count = readChunk(fs, fd, buffer, carried, position, path);
      position += count;
      const bytes = buffer.subarray(0, carried + count);
      const cut = count === 0 ? 0 : cutCharacterBytes(bytes);
      const whole = bytes.subarray(0, bytes.length - cut);
      if (!isUtf8(whole)) throw invalid(path, `not UTF-8 text before byte ${position}`);
      parser.write(whole.toString("utf8"), count);
      if (count === 0) return parser.end();
      buffer.copyWithin(0, whole.length, bytes.length);
      carried = cut;
    }
  } finally {
    fs.close(fd);
  }
}

/** One frame per open element; nothing of an entry that was handed over is kept. */
class LogParser {
  readonly #path: string;
  readonly #sax: SaxesParser<SaxesOptions & { xmlns?: false }> = new SaxesParser({ fragment: true });
  readonly #open: LogElement[] = [];
  readonly #interpreter: LogInterpreter;
  #isAtStart = true;
  #head = "";
  #bytesSinceEvent = 0;
  #isInHandler = false;

  constructor(path: string, onEntry: LogEntryHandler) {
    this.#path = path;
    this.#interpreter = new LogInterpreter((entry) => {
      this.#isInHandler = true;
      onEntry(entry);
      this.#isInHandler = false;
    });
    const sax = this.#sax;
    // At most seven handlers: with more, V8 keeps the parser as a dictionary and it is five times slower.
    sax.on("doctype", () => this.#fail("a document type declaration"));
    sax.on("processinginstruction", () => this.#fail("a processing instruction"));
    sax.on("opentag", (tag) => this.#start(tag as SaxesTagPlain));
    sax.on("closetag", () => this.#finish());
    sax.on("text", (text) => this.#addText(text));
    sax.on("cdata", (text) => this.#addText(text));
  }

  write(text: string, bytes: number): void {
    this.#bytesSinceEvent += bytes;
    const piece = this.#isAtStart ? this.#takeDeclaration(text, bytes === 0) : text;
    this.#guard(() => this.#sax.write(piece));
    if (this.#bytesSinceEvent > MAX_TOKEN_BYTES) this.#fail("a name, value or comment that does not end");
  }

  end(): CopyLogFacts {
    let facts: CopyLogFacts | undefined;
    this.#guard(() => {
      this.#sax.close();
      facts = this.#interpreter.end();
    });
    return facts as CopyLogFacts;
  }

  /** The declaration may be cut by the end of the first piece, but never lies beyond the first kilobyte. */
  #takeDeclaration(text: string, isLast: boolean): string {
    const head = this.#head + text;
    if (head.length < 1024 && !isLast) {
      this.#head = head;
      return "";
    }
    this.#isAtStart = false;
    const declaration = DECLARATION.exec(head)?.[0];
    if (declaration === undefined) return head.startsWith("\ufeff") ? head.slice(1) : head;
    const encoding = /encoding\s*=\s*["']([^"']*)["']/.exec(declaration)?.[1];
    if (encoding !== undefined && encoding.toLowerCase() !== "utf-8") this.#fail(`encoding "${clipText(encoding)}"`);
    return declaration.replaceAll(/[^\r\n]/g, " ") + head.slice(declaration.length);
  }

  #start(tag: SaxesTagPlain): void {
    this.#bytesSinceEvent = 0;
    const names = Object.keys(tag.attributes);
    if (names.length > MAX_ATTRIBUTES) this.#fail(`<${clipText(tag.name)}> has ${names.length} attributes`);
    for (const name of names) {
      const value = tag.attributes[name] ?? "";
      if (value.length > MAX_ATTRIBUTE_UNITS)
        this.#fail(`the ${clipText(name)} of <${clipText(tag.name)}> is too long`);
    }
    if (this.#open.length >= MAX_DEPTH) this.#fail("elements are nested too deeply");
    const element: LogElement = { name: tag.name, attributes: tag.attributes, text: "", children: [], segments: [] };
    this.#open.push(element);
    this.#interpreter.start(this.#open);
  }

  #finish(): void {
    this.#bytesSinceEvent = 0;
    this.#interpreter.finish(this.#open);
    this.#open.pop();
  }

  #addText(text: string): void {
    this.#bytesSinceEvent = 0;
    const element = this.#open.at(-1);
    if (element === undefined) {
      if (NOT_BLANK.test(text)) this.#fail("text outside of the elements");
      return;
    }
    if (element.text === "" && !NOT_BLANK.test(text)) return;
    element.text += text;
    if (element.text.length > MAX_TEXT_UNITS) this.#fail(`the text of <${clipText(element.name)}> is too long`);
  }

  /** Gives the parser's plain errors their position; what a handler throws passes. */
  #guard(action: () => void): void {
    this.#isInHandler = false;
    try {
      action();
    } catch (error) {
      if (error instanceof LogProblem) this.#fail(error.message);
      if (error instanceof AppError || this.#isInHandler || !(error instanceof Error)) throw error;
      this.#fail(error.message.replace(/^[^ ]*\d+:\d+: /, "").replace(/\.$/, ""));
    }
  }

  #fail(problem: string): never {
    const { line, column } = this.#sax;
    throw invalid(this.#path, `at line ${line}, column ${column}: ${problem}`, { line, column });
  }
}

function openLog(fs: FileSystem, path: string): number {
  try {
    return fs.open(path, constants.O_RDONLY);
  } catch (error) {
    throw unreadable(path, error);
  }
}

function readChunk(fs: FileSystem, fd: number, buffer: Buffer, at: number, position: number, path: string): number {
  try {
    return fs.read(fd, buffer, at, CHUNK_BYTES, position);
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** Bytes at the end that begin a character without ending it. */
function cutCharacterBytes(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? back : 0;
  }
  return 0;
}

function unreadable(path: string, error: unknown): AppError {
  return new UsageError("COPY_LOG_UNREADABLE", `cannot read the copy log "${path}": ${describeErrno(error)}`, {
    facts: { path },
    cause: error,
  });
}

function invalid(path: string, problem: string, facts: object = {}): AppError {
  return new DamagedError("COPY_LOG_INVALID", `the copy log "${path}" is not valid: ${problem}`, {
    facts: { path, ...facts },
  });
}
