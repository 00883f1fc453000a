/**
 * `--json`: one object per line on standard output, each with `type` and `version`. New fields may be added to a version;
 * the meaning of a field never changes. docs/json.md lists the types.
 */
import type { ExitCode } from "../platform/exit-codes.ts";
import { describeError } from "./error-text.ts";
import type { Message, Output, OutputOptions, Redaction } from "./output.ts";
import { quietPipe, type SafeWriter } from "./quiet-pipe.ts";
import { describeTerminal, type Terminal } from "./terminal.ts";

const JSON_VERSION = 1;

export class JsonOutput implements Output {
  readonly json = true;
  readonly quiet: boolean;
  readonly diagnosisTerminal: Terminal;
  readonly resultTerminal: Terminal;
  readonly #stdout: SafeWriter;
  #redaction: Redaction | undefined;

  constructor(options: OutputOptions) {
    this.quiet = options.quiet;
    this.diagnosisTerminal = describeTerminal(options.stderr, options.environment, options.color);
    this.resultTerminal = describeTerminal(options.stdout, options.environment, "never");
    this.#stdout = quietPipe(options.stdout);
  }

  text(text: string): void {
    this.jsonLine("text", { text });
  }

  diagnosis(): void {}

  event(message: Message): void {
    const { type, ...data } = message;
    this.jsonLine(type, data);
  }

  jsonLine(type: string, data: object): void {
    this.#stdout(`${JSON.stringify({ type, version: JSON_VERSION, ...data }, (_, value) => this.#plain(value))}\n`);
  }

  result(type: string, data: object): void {
    this.jsonLine(type, data);
  }

  error(error: unknown): ExitCode {
    const { exitCode, stack, problems: _, ...rest } = describeError(error);
    this.jsonLine("error", { ...rest, exitCode, ...(stack === undefined ? {} : { stack }) });
    return exitCode;
  }

  setLiveRegion(): void {}

  setRedaction(redaction: Redaction): void {
    this.#redaction = redaction;
  }

  close(): void {}

  /** Maps become objects; integers beyond the safe range become text; secrets are hidden. */
  #plain(value: unknown): unknown {
    if (typeof value === "string") return this.#redaction?.redact(value) ?? value;
    if (value instanceof Map) return Object.fromEntries(value);
    if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
    return value;
  }
}
