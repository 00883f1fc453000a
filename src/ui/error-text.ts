/** An error in the parts that are shown: expected failures from their own fields, anything else as a bug. */
import { AppError, InputError, type InputProblem } from "../platform/app-error.ts";
import type { ErrorCode } from "../platform/error-codes.ts";
import { ERROR_CODES } from "../platform/error-codes.ts";
import type { ExitCode } from "../platform/exit-codes.ts";

export interface DescribedError {
  code: ErrorCode;
  message: string;
  hint: string;
  exitCode: ExitCode;
  facts: Readonly<Record<string, unknown>>;
  /** Mistakes of an input file, one line each. */
  problems: readonly string[];
  /** Of bugs only. */
  stack?: string;
}

export function describeError(error: unknown): DescribedError {
  if (error instanceof AppError) {
    const problems = error instanceof InputError ? error.problems.map(problemLine) : [];
    return {
      code: error.code,
      message: error.message,
      hint: error.hint,
      exitCode: error.exitCode,
      facts: error.facts,
      problems,
    };
  }
  const row = ERROR_CODES.INTERNAL;
  return {
    code: "INTERNAL",
    message: error instanceof Error ? error.message : String(error),
    hint: row.hint,
    exitCode: row.exitCode,
    facts: {},
    problems: [],
    stack: error instanceof Error ? (error.stack ?? error.message) : String(error),
  };
}

/** `"dataset.csv" line 3, column ItemType: is missing: "None" (expected BlockBlob or PageBlob)`. */
function problemLine(problem: InputProblem): string {
  const place = [
    problem.line === undefined ? `"${problem.file}"` : `"${problem.file}" line ${problem.line}`,
    ...(problem.column === undefined ? [] : [`column ${problem.column}`]),
  ].join(", ");
  const value =
    problem.value === undefined || problem.message.includes(`"${problem.value}"`) ? "" : `: "${problem.value}"`;
  const expected = problem.expected === undefined ? "" : ` (expected ${problem.expected})`;
  return `${place}: ${problem.message}${value}${expected}`;
}
