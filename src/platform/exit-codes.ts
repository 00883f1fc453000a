/**
 * The one table of exit codes. The manual and the tests are checked against it.
 * When several failures happen in one run, `SEVERITY_ORDER` picks the code that is returned.
 */
export const ExitCode = {
  Done: 0,
  Bug: 1,
  Usage: 2,
  SomeFilesNotDone: 3,
  VerifyMismatch: 4,
  DriveRefused: 5,
  NoSpace: 6,
  Locked: 7,
  Encryption: 8,
  Damaged: 9,
  ServiceRefused: 10,
  Network: 11,
  Interrupted: 130,
  Terminated: 143,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

export const EXIT_CODE_MEANING: Readonly<Record<ExitCode, string>> = {
  0: "done",
  1: "a bug in the program",
  2: "wrong usage or bad input",
  3: "done, but some files were not",
  4: "verification found differences",
  5: "a drive was refused or is missing",
  6: "not enough space on the drives",
  7: "locked by another run",
  8: "encryption failed",
  9: "a journal or manifest is damaged",
  10: "the service refused the request",
  11: "network or sign-in failed",
  130: "interrupted (SIGINT)",
  143: "terminated (SIGTERM)",
};

/** Most severe first. Codes that are not listed never occur together with others. */
const SEVERITY_ORDER: readonly ExitCode[] = [1, 130, 143, 9, 8, 5, 6, 4, 3];

/** The exit code of a run in which all of `codes` applied; `Done` when there are none. */
export function mostSevere(codes: Iterable<ExitCode>): ExitCode {
  const present = new Set(codes);
  for (const code of SEVERITY_ORDER) if (present.has(code)) return code;
  for (const code of present) if (code !== ExitCode.Done) return code;
  return ExitCode.Done;
}
