/**
 * A copy log in plain words: how the drive ended, and for every code that says more than "completed" what it means, what
 * caused it, what to do next, how often it stands there and where first. Memory does not grow with the log.
 */
import { ExitCode } from "../platform/exit-codes.ts";
import type { FileSystem } from "../platform/file-system.ts";
import type { CopyLogFacts, LogBlob, LogEntry } from "./copy-log-model.ts";
import { readCopyLog } from "./copy-log-reader.ts";
import { type CodeMeaning, type CodePlace, meaningOf } from "./status-meaning.ts";

/** Of each cause so many places are named. */
const MAX_EXAMPLES = 5;
/** A log that invents codes does not fill the memory. */
const MAX_CAUSES = 1_000;

/** One code at one place of one entry. */
export interface EntryFinding {
  place: CodePlace;
  code: string;
  /** Segments with this code; 1 for anything else. */
  count: number;
  /** Bytes of those segments. */
  bytes: number;
}

export interface ExplainedEntry {
  path: string;
  filePath?: string;
  findings: readonly EntryFinding[];
}

export interface ExplainedCause extends CodeMeaning {
  place: CodePlace;
  code: string;
  /** Entries in which it occurs. */
  entries: number;
  /** Occurrences: segments count one by one. */
  count: number;
  bytes: number;
  examples: readonly string[];
}

export interface CopyLogExplanation extends CopyLogFacts {
  drive: CodeMeaning | undefined;
  /** Without a warning or error. */
  goodEntries: number;
  warningEntries: number;
  errorEntries: number;
  /** Errors first, then warnings; within each the most frequent first. */
  causes: readonly ExplainedCause[];
  /** 0, or 3 when the log tells of errors. */
  exitCode: ExitCode;
}

/** Reads and explains the log at `path`; `onEntry` gets every entry that has a warning or an error. */
export function explainCopyLog(
  fs: FileSystem,
  path: string,
  onEntry: (entry: ExplainedEntry) => void = () => {},
): CopyLogExplanation {
  const tally = new Tally();
  const facts = readCopyLog(fs, path, (entry) => {
    const explained = explainEntry(entry);
    tally.add(explained);
    if (explained.findings.length > 0) onEntry(explained);
  });
  const drive = facts.driveStatus === "" ? undefined : meaningOf("drive", facts.driveStatus);
  const hasErrors = tally.errorEntries > 0 || drive?.level === "error";
  return {
    ...facts,
    drive,
    goodEntries: tally.goodEntries,
    warningEntries: tally.warningEntries,
    errorEntries: tally.errorEntries,
    causes: tally.causes(),
    exitCode: hasErrors ? ExitCode.SomeFilesNotDone : ExitCode.Done,
  };
}

/** What of one entry is not simply well. */
export function explainEntry(entry: LogEntry): ExplainedEntry {
  if (entry.kind === "done-file") return { path: entry.path, findings: [] };
  if (entry.kind === "errored-entity") {
    const code = entry.category === "" ? "UploadErrorUnknownType" : entry.category;
    return { path: entry.path, findings: [{ place: "category", code, count: 1, bytes: 0 }] };
  }
  return {
    path: entry.blobPath,
    ...(entry.filePath === "" ? {} : { filePath: entry.filePath }),
    findings: blobFindings(entry),
  };
}

function blobFindings(blob: LogBlob): EntryFinding[] {
  const codes: [CodePlace, string | undefined][] = [
    ["blob", blob.status],
    ["disposition", blob.disposition?.status],
    ["metadata", blob.metadata?.status],
    ["properties", blob.properties?.status],
  ];
  const findings: EntryFinding[] = [];
  for (const [place, code] of codes) {
    if (code !== undefined && code !== "" && meaningOf(place, code).level !== "ok") {
      findings.push({ place, code, count: 1, bytes: 0 });
    }
  }
  const bySegmentCode = new Map<string, EntryFinding>();
  for (const { status, length } of blob.segments?.items ?? []) {
    if (status === "" || meaningOf("segment", status).level === "ok") continue;
    const known = bySegmentCode.get(status);
    if (known !== undefined) {
      known.count += 1;
      known.bytes += length;
    } else if (bySegmentCode.size < MAX_CAUSES) {
      bySegmentCode.set(status, { place: "segment", code: status, count: 1, bytes: length });
    }
  }
  return [...findings, ...bySegmentCode.values()];
}

class Tally {
  goodEntries = 0;
  warningEntries = 0;
  errorEntries = 0;
  readonly #causes = new Map<string, ExplainedCause & { examples: string[] }>();

  add({ path, findings }: ExplainedEntry): void {
    let level: CodeMeaning["level"] = "ok";
    for (const finding of findings) {
      const meaning = meaningOf(finding.place, finding.code);
      if (meaning.level === "error" || level === "ok") level = meaning.level;
      this.#count(finding, meaning, path);
    }
    if (level === "error") this.errorEntries += 1;
    else if (level === "warning") this.warningEntries += 1;
    else this.goodEntries += 1;
  }

  causes(): ExplainedCause[] {
    const rank = ({ level }: ExplainedCause): number => (level === "error" ? 0 : 1);
    return [...this.#causes.values()].sort((a, b) => rank(a) - rank(b) || b.entries - a.entries || b.count - a.count);
  }

  #count({ place, code, count, bytes }: EntryFinding, meaning: CodeMeaning, path: string): void {
    const key = `${place} ${code}`;
    let cause = this.#causes.get(key);
    if (cause === undefined) {
      if (this.#causes.size >= MAX_CAUSES) return;
      cause = { place, code, ...meaning, entries: 0, count: 0, bytes: 0, examples: [] };
      this.#causes.set(key, cause);
    }
    cause.entries += 1;
    cause.count += count;
    cause.bytes += bytes;
    if (cause.examples.length < MAX_EXAMPLES) cause.examples.push(path);
  }
}
