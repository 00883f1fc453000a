/** Counts what a verification finds and passes it on; keeps only the first problems. */
import type { VerifyEvent, VerifyProblem, VerifyProblemKind } from "./verify-contract.ts";

const MAX_KEPT = 1_000;

export class VerifyTally {
  goodFiles = 0;
  goodBytes = 0;
  badFiles = 0;
  problems = 0;
  unnamedFiles = 0;
  uncheckedFiles = 0;
  readonly problemsByKind: Partial<Record<VerifyProblemKind, number>> = {};
  readonly firstProblems: VerifyProblem[] = [];
  readonly #onEvent: (event: VerifyEvent) => void;

  constructor(onEvent: (event: VerifyEvent) => void) {
    this.#onEvent = onEvent;
  }

  /** A blob's file is done, with all its problems. */
  file(sizeBytes: number, problems: Iterable<VerifyProblem>): void {
    const before = this.problems;
    for (const problem of problems) this.problem(problem);
    if (this.problems > before) {
      this.badFiles += 1;
    } else {
      this.goodFiles += 1;
      this.goodBytes += sizeBytes;
    }
  }

  /** A problem of a file that is no blob. */
  problem(problem: VerifyProblem): void {
    this.problems += 1;
    this.problemsByKind[problem.kind] = (this.problemsByKind[problem.kind] ?? 0) + 1;
    if (this.firstProblems.length < MAX_KEPT) this.firstProblems.push(problem);
    this.#onEvent({ type: "problem", problem });
  }

  /** The manifest gives nothing but the length. */
  unchecked(filePath: string): void {
    this.uncheckedFiles += 1;
    if (this.uncheckedFiles > MAX_KEPT) return;
    this.#onEvent({
      type: "warning",
      kind: "no-digests",
      filePath,
      reason: "the manifest gives no digests; only its length was checked",
    });
  }

  unnamed(filePath: string): void {
    this.unnamedFiles += 1;
    if (this.unnamedFiles > MAX_KEPT) return;
    this.#onEvent({ type: "warning", kind: "unnamed-file", filePath, reason: "the manifest does not name it" });
  }

  unreadableFolder(filePath: string, reason: string): void {
    this.#onEvent({ type: "warning", kind: "unreadable-folder", filePath, reason });
  }
}
