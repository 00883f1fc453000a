/**
 * Why a volume cannot be read or opened. This room knows no paths and no drives: whoever asked puts them around the
 * reason.
 */
export type FormatProblem = "not-bitlocker" | "unsupported" | "damaged" | "wrong-key";

export class BitLockerFormatError extends Error {
  readonly problem: FormatProblem;

  /** @param reason in words that fit after a colon; never holds key material */
  constructor(problem: FormatProblem, reason: string) {
    super(reason);
    this.name = "BitLockerFormatError";
    this.problem = problem;
  }
}
