/** Output for people. */
import { ExitCode } from "../platform/exit-codes.ts";
import { describeError } from "./error-text.ts";
import type { LiveRegion, Message, Output, OutputOptions, Redaction } from "./output.ts";
import { quietPipe, type SafeWriter } from "./quiet-pipe.ts";
import { safeText } from "./safe-text.ts";
import { describeTerminal, type Terminal } from "./terminal.ts";

export class HumanOutput implements Output {
  readonly json = false;
  readonly quiet: boolean;
  readonly diagnosisTerminal: Terminal;
  readonly resultTerminal: Terminal;
  readonly #stdout: SafeWriter;
  readonly #stderr: SafeWriter;
  #redaction: Redaction | undefined;
  #live: LiveRegion | undefined;

  constructor(options: OutputOptions) {
    this.quiet = options.quiet;
    this.diagnosisTerminal = describeTerminal(options.stderr, options.environment, options.color);
    this.resultTerminal = describeTerminal(options.stdout, options.environment, options.color);
    this.#stdout = quietPipe(options.stdout);
    this.#stderr = quietPipe(options.stderr);
  }

  text(text: string): void {
    this.#stdout(this.#redact(text));
  }

  diagnosis(text: string): void {
    const shown = this.#redact(text);
    if (this.#live !== undefined) this.#live.printAbove(shown);
    else this.#stderr(shown);
  }

  event(message: Message): void {
    if (message.type === "notice" && this.quiet) return;
    const { paint } = this.diagnosisTerminal;
    const label = message.type === "warning" ? paint("yellow", "warning:") : paint("cyan", "note:");
    this.diagnosis(`${label} ${safeText(message.message)}\n`);
  }

  jsonLine(): void {}

  result(_type: string, _data: object, text: () => string): void {
    this.text(text());
  }

  error(error: unknown): ExitCode {
    this.setLiveRegion(undefined);
    const { paint } = this.diagnosisTerminal;
    const described = describeError(error);
    const lines = [`${paint("red", "error:")} ${safeText(described.message)} ${paint("dim", `[${described.code}]`)}`];
    for (const problem of described.problems) lines.push(`  ${safeText(problem)}`);
    if (described.hint !== "") lines.push(`${paint("cyan", "hint:")} ${safeText(described.hint)}`);
    if (described.exitCode === ExitCode.Bug && described.stack !== undefined) {
      lines.push("this is a bug in waimportexport; the following lines help to find it:");
      for (const line of described.stack.split("\n")) lines.push(`  ${safeText(line)}`);
    }
    this.diagnosis(`${lines.join("\n")}\n`);
    return described.exitCode;
  }

  setLiveRegion(region: LiveRegion | undefined): void {
    this.#live?.close();
    this.#live = region;
  }

  setRedaction(redaction: Redaction): void {
    this.#redaction = redaction;
  }

  close(): void {
    this.setLiveRegion(undefined);
  }

  #redact(text: string): string {
    return this.#redaction?.redact(text) ?? text;
  }
}
