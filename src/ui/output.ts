/**
 * The way everything reaches the user. Standard output carries results only; progress, warnings and questions go to
 * standard error. With `--json` standard output carries one JSON object per line and nothing else.
 */
import type { ErrorCode } from "../platform/error-codes.ts";
import type { ExitCode } from "../platform/exit-codes.ts";
import { HumanOutput } from "./human-output.ts";
import { JsonOutput } from "./json-output.ts";
import type { ColorChoice, Environment, OutputStream, Terminal } from "./terminal.ts";

export interface Message {
  type: "notice" | "warning";
  message: string;
  code?: ErrorCode | undefined;
  facts?: Readonly<Record<string, unknown>> | undefined;
}

/** Hides what must not be shown. */
export interface Redaction {
  redact(text: string): string;
}

/** Something drawn at the foot of the terminal; other text is printed above it. */
export interface LiveRegion {
  printAbove(text: string): void;
  close(): void;
}

export interface Output {
  readonly json: boolean;
  readonly quiet: boolean;
  /** Standard error, where progress and questions go. */
  readonly diagnosisTerminal: Terminal;
  readonly resultTerminal: Terminal;
  /** Text asked for by the user as such (help, version), on standard output in both forms. */
  text(text: string): void;
  /** Text on standard error; with `--json` nothing. */
  diagnosis(text: string): void;
  /** A message on the way, on standard error or as a JSON line. */
  event(message: Message): void;
  /** A JSON line; nothing for people. */
  jsonLine(type: string, data: object): void;
  /** A result: `data` as a JSON line of this type, or for people the text, on standard output. */
  result(type: string, data: object, text: () => string): void;
  /** Tells an error with its hint; returns the exit code that it stands for. */
  error(error: unknown): ExitCode;
  setLiveRegion(region: LiveRegion | undefined): void;
  setRedaction(redaction: Redaction): void;
  close(): void;
}

export interface OutputOptions {
  stdout: OutputStream;
  stderr: OutputStream;
  environment: Environment;
  json: boolean;
  quiet: boolean;
  color: ColorChoice;
}

export function createOutput(options: OutputOptions): Output {
  return options.json ? new JsonOutput(options) : new HumanOutput(options);
}
