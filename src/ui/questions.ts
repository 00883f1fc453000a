/**
 * The questions of a preparation: start, and the serial of a drive that will be formatted. They are asked on standard
 * error. Where nobody can answer, a run goes on only if it formats and encrypts nothing.
 */
import { createInterface } from "node:readline/promises";
import { DriveRefusedError } from "../platform/app-error.ts";
import type { Confirm, PlanSummary, Question } from "../prep/prep-contract.ts";
import type { Output } from "./output.ts";
import { safeText } from "./safe-text.ts";
import { formatSize } from "./sizes.ts";

export interface QuestionOptions {
  output: Output;
  stdin: NodeJS.ReadStream;
  stderr: NodeJS.WritableStream;
  silentMode: boolean;
  /** Serials confirmed beforehand. */
  confirmDrives: readonly string[];
  signal: AbortSignal;
  /** Ctrl-C was pressed at a question. */
  onInterrupt: () => void;
}

export function createConfirm(options: QuestionOptions): Confirm {
  const canAsk = options.stdin.isTTY === true && options.output.diagnosisTerminal.isInteractive;
  const isConfirmed = (serial: string): boolean => options.silentMode || options.confirmDrives.includes(serial);
  return async (question) => {
    if (question.kind === "start") {
      if (options.silentMode) return true;
      if (canAsk) return isYes(await ask(options, "Start? [y/N] "));
      if (changedDrives(question.plan).every(isConfirmed)) return true;
      throw notConfirmed(
        `nobody can be asked, and drives would be formatted or encrypted: ${changedDrives(question.plan).join(", ")}`,
        question,
      );
    }
    if (isConfirmed(question.serial)) return true;
    if (!canAsk)
      throw notConfirmed(
        `nobody can be asked, and drive ${question.serial} at "${question.place}" would be formatted`,
        question,
      );
    return (await ask(options, formatQuestion(question, options.output))).trim() === question.serial;
  };
}

function changedDrives(plan: PlanSummary): string[] {
  return plan.drives
    .filter((drive) => drive.needed && (drive.format || drive.willEncrypt))
    .map((drive) => drive.driveId);
}

function notConfirmed(message: string, question: Question): DriveRefusedError {
  return new DriveRefusedError("DRIVE_NOT_CONFIRMED", message, { facts: { question: question.kind } });
}

function formatQuestion(question: Extract<Question, { kind: "format" }>, output: Output): string {
  const { paint } = output.diagnosisTerminal;
  return [
    paint("red", `Everything on this drive will be ERASED:`),
    `  model     ${safeText(question.model)}`,
    `  serial    ${safeText(question.serial)}`,
    `  size      ${formatSize(question.sizeBytes)}`,
    `  place     ${safeText(question.place)}`,
    `  contents  ${safeText(question.contents)}`,
    "Type its serial to go on: ",
  ].join("\n");
}

function isYes(answer: string): boolean {
  return /^y(es)?$/i.test(answer.trim());
}

/** Ctrl-C and the end of input answer with nothing. */
async function ask(options: QuestionOptions, text: string): Promise<string> {
  options.output.setLiveRegion(undefined);
  const reader = createInterface({ input: options.stdin, output: options.stderr, terminal: true });
  const closed = new Promise<string>((resolve) => reader.once("close", () => resolve("")));
  // readline takes Ctrl-C for itself.
  reader.on("SIGINT", () => {
    reader.close();
    options.onInterrupt();
  });
  try {
    return await Promise.race([reader.question(text, { signal: options.signal }), closed]);
  } catch (error) {
    if (options.signal.aborted) return "";
    throw error;
  } finally {
    reader.close();
  }
}
