/**
 * Looks at what the rows of a dataset name: does it exist, is it a directory or a file, are metadata and properties
 * files right. All rows are looked at before anything is reported.
 */
import { constants } from "node:fs";
import { posix, win32 } from "node:path";
import { MAX_SIDE_FILE_BYTES, parseSideFile, type SideFileKind } from "../blobs/side-file.ts";
import { describeErrno, InputError, type InputProblem } from "../platform/app-error.ts";
import type { ErrorCode } from "../platform/error-codes.ts";
import type { FileKind, FileSystem } from "../platform/file-system.ts";
import type { Platform } from "./base-path.ts";
import type { DatasetRow } from "./dataset-row.ts";
import { finishDestination } from "./destination.ts";
import { readInputFile } from "./read-input-file.ts";

export interface CheckedSources {
  /** With `kind` and `destination` as they really are. */
  rows: DatasetRow[];
  warnings: InputProblem[];
}

export interface CheckSourcesOptions {
  /** The dataset's path, for messages. */
  file: string;
  platform: Platform;
}

/** Throws SOURCE_MISSING, SIDE_FILE_INVALID or DATASET_INVALID with the problems of all rows. */
export function checkSources(
  fileSystem: FileSystem,
  rows: readonly DatasetRow[],
  options: CheckSourcesOptions,
): CheckedSources {
  const check = new SourceCheck(fileSystem, options);
  const checked = rows.map((row) => check.row(row));
  check.throwIfAny();
  return { rows: checked, warnings: check.warnings };
}

class SourceCheck {
  readonly warnings: InputProblem[] = [];
  readonly #problems: { code: ErrorCode; problem: InputProblem }[] = [];
  readonly #sideFiles = new Map<string, boolean>();
  readonly #fileSystem: FileSystem;
  readonly #options: CheckSourcesOptions;

  constructor(fileSystem: FileSystem, options: CheckSourcesOptions) {
    this.#fileSystem = fileSystem;
    this.#options = options;
  }

  row(row: DatasetRow): DatasetRow {
    this.#sideFile(row, "metadata", row.metadataFile);
    this.#sideFile(row, "properties", row.propertiesFile);
    const kind = this.#kindOnDisk(row);
    if (kind === undefined) return row;
    if (row.kind === "directory" && kind === "file") {
      this.#report(
        "DATASET_INVALID",
        row,
        "the source is a file, not a directory",
        "the path without its last separator",
      );
      return row;
    }
    if (row.kind === "file" && kind === "directory") {
      this.warnings.push({
        ...this.#where(row),
        message: "the source is a directory; its path should end with a separator",
      });
    }
    const fileName = (this.#options.platform === "win32" ? win32 : posix).basename(row.basePath);
    const target = finishDestination(row.destination, kind, fileName);
    if (!target.ok) {
      this.#problems.push({
        code: "DATASET_INVALID",
        problem: {
          file: this.#options.file,
          line: row.line,
          value: row.destination,
          message: target.message,
          ...(target.expected === undefined ? {} : { expected: target.expected }),
        },
      });
      return row;
    }
    return { ...row, kind, destination: target.destination };
  }

  throwIfAny(): void {
    if (this.#problems.length === 0) return;
    const order: readonly ErrorCode[] = ["SOURCE_MISSING", "SIDE_FILE_INVALID", "DATASET_INVALID"];
    const code =
      order.find((candidate) => this.#problems.some((found) => found.code === candidate)) ?? "DATASET_INVALID";
    const only = this.#problems.length === 1 ? `: ${this.#problems[0]?.problem.message}` : "";
    const what = code === "SOURCE_MISSING" ? "names sources that cannot be read" : "names sources that do not fit";
    throw new InputError(
      code,
      `"${this.#options.file}" ${what}${only}`,
      this.#problems.map((found) => found.problem),
    );
  }

  /** Follows a link: the path of a row is what its writer chose. Opens the source, so that a missing right shows now. */
  #kindOnDisk(row: DatasetRow): "directory" | "file" | undefined {
    const path = row.basePath;
    try {
      const { kind } = this.#fileSystem.stat(path);
      if (kind === "directory") {
        this.#fileSystem.openDirectory(path).close();
        return kind;
      }
      if (kind === "file") {
        this.#fileSystem.close(this.#fileSystem.open(path, constants.O_RDONLY));
        return kind;
      }
      this.#report("SOURCE_MISSING", row, `the source is ${KIND_WORDS[kind]}`, "a directory or a file");
    } catch (error) {
      const wildcard = /[*?]/.test(path) ? " (wildcards are not expanded)" : "";
      this.#report("SOURCE_MISSING", row, `cannot read "${path}": ${describeErrno(error)}${wildcard}`);
    }
    return undefined;
  }

  /** A file that several rows name is read and reported once. */
  #sideFile(row: DatasetRow, kind: SideFileKind, path: string | undefined): void {
    if (path === undefined || this.#sideFiles.has(`${kind} ${path}`)) return;
    this.#sideFiles.set(`${kind} ${path}`, true);
    try {
      parseSideFile(kind, readInputFile(this.#fileSystem, path, MAX_SIDE_FILE_BYTES), path);
    } catch (error) {
      if (error instanceof InputError) {
        for (const problem of error.problems) this.#problems.push({ code: error.code, problem });
        return;
      }
      const column = kind === "metadata" ? "MetadataFile" : "PropertiesFile";
      const message = `cannot read the ${kind} file: ${describeErrno(error)}`;
      this.#problems.push({
        code: "SOURCE_MISSING",
        problem: { file: this.#options.file, line: row.line, column, value: path, message },
      });
    }
  }

  #where(row: DatasetRow): Omit<InputProblem, "message"> {
    return { file: this.#options.file, line: row.line, column: "BasePath", value: row.basePath };
  }

  #report(code: ErrorCode, row: DatasetRow, message: string, expected?: string): void {
    const problem = { ...this.#where(row), message };
    this.#problems.push({ code, problem: expected === undefined ? problem : { ...problem, expected } });
  }
}

const KIND_WORDS: Readonly<Record<FileKind, string>> = {
  file: "a file",
  directory: "a directory",
  link: "a link",
  socket: "a socket",
  fifo: "a pipe",
  "character-device": "a device",
  "block-device": "a device",
  unknown: "of an unknown kind",
};
