/** From the elements of a log to entries: which generation it is, where an entry ends, what belongs to the whole log. */
import type { CopyLogFacts, LogEntry, LogGeneration, LogSummaryLine } from "./copy-log-model.ts";
import { type LogElement, LogProblem } from "./log-element.ts";
import { clipText } from "./log-text.ts";
import { toBlobEntry, toDoneFile, toErroredEntity, toSegment } from "./read-entries.ts";

/** More than any entry or summary of a real log has. */
const MAX_CHILDREN = 1_000;
const MAX_SEGMENTS = 4 * 1024 * 1024;
const SEGMENT_NAMES: ReadonlySet<string> = new Set(["Block", "PageRange", "FileRange"]);
const ROOTS_OF_2021: ReadonlySet<string> = new Set(["File", "ErroredEntity", "CopyLog"]);
/** `DriveLog/@Version` is left out in some samples of the oldest form. */
const NAMED_VERSIONS: ReadonlyMap<string, LogGeneration> = new Map([
  ["", "2014-11-01"],
  ["2011-10-01", "2014-11-01"],
  ["2014-11-01", "2014-11-01"],
  ["2018-10-01", "2018-10-01"],
]);

export class LogInterpreter {
  readonly #onEntry: (entry: LogEntry) => void;
  #root: "DriveLog" | "rows" | undefined;
  #isDriveLogOver = false;
  #generation: LogGeneration = "2014-11-01";
  #driveId = "";
  #driveStatus = "";
  #entries = 0;
  #summary: LogSummaryLine[] = [];
  #totals: { totalItems?: number; itemsErrored?: number } = {};

  constructor(onEntry: (entry: LogEntry) => void) {
    this.#onEntry = onEntry;
  }

  /** `open` ends in the element that starts. */
  start(open: readonly LogElement[]): void {
    const element = open.at(-1) as LogElement;
    if (open.length === 1) this.#startRoot(element);
    const parent = open.at(-2);
    if (parent === undefined || this.#isEntryOrHead(open)) return;
    if (parent.children.length >= MAX_CHILDREN)
      throw new LogProblem(`<${clipText(parent.name)}> has too many children`);
    if (!SEGMENT_NAMES.has(element.name)) parent.children.push(element);
  }

  /** `open` ends in the element that is complete. */
  finish(open: readonly LogElement[]): void {
    const element = open.at(-1) as LogElement;
    if (SEGMENT_NAMES.has(element.name) && open.length > 2) {
      const list = open.at(-2) as LogElement;
      if (list.segments.length >= MAX_SEGMENTS) throw new LogProblem(`<${clipText(list.name)}> has too many items`);
      list.segments.push(toSegment(element));
    } else if (this.#root === "rows" && open.length === 1) this.#takeRow(element);
    else if (this.#root === "DriveLog" && open.length === 2) this.#takeChild(element);
    else if (this.#root === "DriveLog" && open.length === 1) this.#isDriveLogOver = true;
  }

  end(): CopyLogFacts {
    if (this.#root === undefined) throw new LogProblem("there is no element");
    return {
      generation: this.#generation,
      driveId: this.#driveId,
      driveStatus: this.#driveStatus,
      entries: this.#entries,
      summary: this.#summary,
      ...this.#totals,
    };
  }

  #startRoot(element: LogElement): void {
    if (element.name === "DriveLog") {
      if (this.#root !== undefined) throw new LogProblem("a second root element");
      this.#root = "DriveLog";
      const version = (element.attributes.Version ?? "").trim();
      const generation = NAMED_VERSIONS.get(version);
      if (generation === undefined) throw new LogProblem(`"${clipText(version)}" is no known version of a drive log`);
      this.#generation = generation;
      return;
    }
    if (!ROOTS_OF_2021.has(element.name)) throw new LogProblem(`<${clipText(element.name)}> begins no copy log`);
    if (this.#root === "DriveLog" || this.#isDriveLogOver) throw new LogProblem("an element behind the drive log");
    this.#root = "rows";
    this.#generation = "2021-08-01";
  }

  /** Children of the root of a drive log are handled one by one and never gathered below it. */
  #isEntryOrHead(open: readonly LogElement[]): boolean {
    return this.#root === "DriveLog" && open.length === 2;
  }

  #takeChild(element: LogElement): void {
    switch (element.name) {
      case "DriveId":
        this.#driveId = element.text.trim();
        break;
      case "Status":
        this.#driveStatus = element.text.trim();
        break;
      case "Summary":
        this.#takeSummary(element);
        break;
      case "Blob":
        this.#give(toBlobEntry(element, "blob"));
        break;
      case "File":
        this.#give(toBlobEntry(element, "share-file"));
        break;
      default:
        throw new LogProblem(`<${clipText(element.name)}> has no place in <DriveLog>`);
    }
  }

  #takeRow(element: LogElement): void {
    if (element.name === "File") this.#give(toDoneFile(element));
    else if (element.name === "ErroredEntity") this.#give(toErroredEntity(element));
    else this.#takeWhole(element);
  }

  #takeWhole(element: LogElement): void {
    for (const child of element.children) {
      if (child.name === "DriveId") this.#driveId = child.text.trim();
      else if (child.name === "Status") this.#driveStatus = child.text.trim();
      else if (child.name === "TotalFiles_Blobs") this.#totals.totalItems = toCount(child);
      else if (child.name === "FilesErrored") this.#totals.itemsErrored = toCount(child);
      else if (child.name === "Summary") this.#takeSummary(child);
    }
  }

  #takeSummary(element: LogElement): void {
    for (const group of element.children) {
      for (const line of group.children) {
        const description = line.attributes.Description;
        this.#summary.push({
          group: group.name,
          code: line.name,
          count: Number(line.attributes.Count ?? 0) || 0,
          ...(description === undefined ? {} : { description }),
        });
        if (this.#summary.length > MAX_CHILDREN) throw new LogProblem("the summary is too long");
      }
    }
  }

  #give(entry: LogEntry): void {
    this.#entries += 1;
    this.#onEntry(entry);
  }
}

function toCount(element: LogElement): number {
  const count = Number(element.text.trim());
  if (!Number.isSafeInteger(count) || count < 0) throw new LogProblem(`<${element.name}> is no count`);
  return count;
}
