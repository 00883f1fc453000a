/** docs/errors.md and docs/exit-codes.md are made from the tables in the source; `UPDATE_GOLDEN=1` writes them. */
import { describe, it } from "vitest";
import { ERROR_CODES, type ErrorCode } from "../../src/platform/error-codes.ts";
import { EXIT_CODE_MEANING, type ExitCode, mostSevere } from "../../src/platform/exit-codes.ts";
import { expectGolden } from "../golden.ts";

const ERRORS = Object.entries(ERROR_CODES) as [ErrorCode, (typeof ERROR_CODES)[ErrorCode]][];
const EXIT_CODES = (Object.keys(EXIT_CODE_MEANING).map(Number) as ExitCode[]).sort((a, b) => a - b);

function errorsPage(): string {
  const sections = ERRORS.map(
    ([code, { when, hint, exitCode }]) =>
      `## ${code}\n\n${when}\n\nExit code ${exitCode} (${EXIT_CODE_MEANING[exitCode]}). What to do: ${hint}.\n`,
  );
  return `# Errors

Every expected failure has a code. It stands in brackets behind the message and as \`code\` in \`--json\`. Codes that begin
with \`FILE_\` belong to single files: the run goes on, counts them, and names them in the events file beside the journal.

${sections.join("\n")}`;
}

function exitCodesPage(): string {
  const sections = EXIT_CODES.map((exitCode) => {
    const codes = ERRORS.filter(([, row]) => row.exitCode === exitCode).map(
      ([code]) => `- [${code}](errors.md#${code.toLowerCase()})`,
    );
    return [`## ${exitCode}: ${EXIT_CODE_MEANING[exitCode]}`, ...(codes.length === 0 ? [] : [codes.join("\n")])].join(
      "\n\n",
    );
  });
  return `# Exit codes

When several apply to one run, the most severe is returned: ${severityOrder().join(", ")}. Any other non-zero code means failure.

Running without a verb prints the help on standard error and returns 2.

${sections.join("\n\n")}
`;
}

/** As the function that decides orders them. */
function severityOrder(): number[] {
  const together: ExitCode[] = [1, 3, 4, 5, 6, 8, 9, 130, 143];
  return together.sort((a, b) => (mostSevere([a, b]) === a ? -1 : 1));
}

describe("the manual's tables", () => {
  it("of errors", () => expectGolden("docs/errors.md", errorsPage()));
  it("of exit codes", () => expectGolden("docs/exit-codes.md", exitCodesPage()));
});
