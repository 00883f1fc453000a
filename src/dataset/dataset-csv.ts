/**
 * dataset.csv: what is to be copied and which blobs it becomes. All three generations of the header line are read;
 * they differ in the name of the destination column, in how the blob type is given, and in the default disposition.
 */
import { DISPOSITIONS, type Disposition } from "../blobs/blob-kinds.ts";
import { InputError, type InputProblem } from "../platform/app-error.ts";
import { type Platform, parseBasePath } from "./base-path.ts";
import { type CsvFormat, type CsvRow, type CsvTable, parseCsvTable } from "./csv-table.ts";
import type { DatasetRow } from "./dataset-row.ts";
import { finishDestination, parseDestination } from "./destination.ts";
import { findNestedSources } from "./nested-sources.ts";
import { shownValue } from "./shown-value.ts";

const SIDE_COLUMNS = ["MetadataFile", "PropertiesFile"] as const;

/** Order matters: the three-column header is also a subset of the second generation. */
export const DATASET_FORMAT: CsvFormat = {
  name: "dataset",
  code: "DATASET_INVALID",
  headers: [
    { generation: 3, required: ["BasePath", "DstItemPathOrPrefix", "ItemType"], optional: [] },
    {
      generation: 2,
      required: ["BasePath", "DstItemPathOrPrefix"],
      optional: ["ItemType", "Disposition", ...SIDE_COLUMNS],
    },
    {
      generation: 1,
      required: ["BasePath", "DstBlobPathOrPrefix"],
      optional: ["BlobType", "Disposition", ...SIDE_COLUMNS],
    },
  ],
};

export interface DatasetOptions {
  platform: Platform;
  /** `--disposition`: for every row, whatever the column says. */
  dispositionOverride?: Disposition;
}

export interface Dataset {
  generation: number;
  rows: DatasetRow[];
  warnings: InputProblem[];
}

/** Throws InputError with all mistakes of the file at once. Touches no source: see `checkSources`. */
export function parseDataset(content: Uint8Array, file: string, options: DatasetOptions): Dataset {
  const table = parseCsvTable(content, file, DATASET_FORMAT);
  const reader = new RowReader(file, table, options);
  const rows = table.rows.map((row, index) => reader.read(row, index));
  if (table.rows.length === 0 && reader.problems.length === 0) {
    reader.problems.push({ file, message: "no row follows the header line", expected: "at least one source" });
  }
  throwIfAny(file, reader.problems, reader.azureFilesRows);
  const sources = rows.filter((row) => row !== undefined);
  return {
    generation: table.header.generation,
    rows: sources,
    warnings: [...reader.warnings, ...findNestedSources(sources, file, options.platform)],
  };
}

function throwIfAny(file: string, problems: InputProblem[], azureFilesRows: number): void {
  if (problems.length === 0) return;
  problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
  if (azureFilesRows === problems.length) {
    throw new InputError("AZURE_FILES_UNSUPPORTED", `"${file}" has rows for Azure Files`, problems);
  }
  const count = problems.length === 1 ? "one mistake" : `${problems.length} mistakes`;
  throw new InputError("DATASET_INVALID", `"${file}" has ${count}`, problems);
}

class RowReader {
  readonly problems: InputProblem[];
  readonly warnings: InputProblem[] = [];
  azureFilesRows = 0;
  readonly #file: string;
  readonly #table: CsvTable;
  readonly #options: DatasetOptions;

  constructor(file: string, table: CsvTable, options: DatasetOptions) {
    this.#file = file;
    this.#table = table;
    this.#options = options;
    this.problems = table.problems;
  }

  read(row: CsvRow, index: number): DatasetRow | undefined {
    const base = this.#basePath(row);
    const target = this.#destination(row, base);
    const blobType = this.#blobType(row);
    const disposition = this.#disposition(row);
    const metadataFile = this.#sideFile(row, "MetadataFile");
    const propertiesFile = this.#sideFile(row, "PropertiesFile");
    if (base === undefined || target === undefined || blobType === undefined) return undefined;
    return {
      index,
      line: row.line,
      basePath: base.path,
      kind: base.endsInSeparator ? "directory" : "file",
      ...target,
      blobType,
      disposition,
      ...(metadataFile === undefined ? {} : { metadataFile }),
      ...(propertiesFile === undefined ? {} : { propertiesFile }),
    };
  }

  #basePath(row: CsvRow): { path: string; endsInSeparator: boolean } | undefined {
    const text = row.value("BasePath");
    const result = parseBasePath(text, this.#options.platform);
    if (result.ok) return result;
    this.#report(row, "BasePath", text, result.message, result.expected);
    return undefined;
  }

  #destination(
    row: CsvRow,
    base: { endsInSeparator: boolean } | undefined,
  ): { destination: string; container: string } | undefined {
    const column = this.#table.header.generation === 1 ? "DstBlobPathOrPrefix" : "DstItemPathOrPrefix";
    const text = row.value(column);
    const parsed = parseDestination(text);
    const result =
      parsed.ok && base?.endsInSeparator === true ? finishDestination(parsed.destination, "directory", "") : parsed;
    if (!result.ok) {
      this.#report(row, column, result.secret === true ? undefined : text, result.message, result.expected);
      return undefined;
    }
    if (parsed.ok && parsed.warning !== undefined) {
      this.warnings.push({ file: this.#file, line: row.line, column, value: text, message: parsed.warning });
    }
    return { destination: result.destination, container: result.container };
  }

  #blobType(row: CsvRow): DatasetRow["blobType"] | undefined {
    const first = this.#table.header.generation === 1;
    const column = first ? "BlobType" : "ItemType";
    const text = row.value(column).trim();
    if (text === "BlockBlob" || text === "PageBlob") return text;
    if (first && text === "") return "ByExtension";
    if (first && text === "block") return "BlockBlob";
    if (first && text === "page") return "PageBlob";
    if (!first && text.toLowerCase() === "file") {
      this.azureFilesRows++;
      this.#report(row, column, text, "rows for Azure Files cannot be prepared", "BlockBlob or PageBlob");
      return undefined;
    }
    const isMissing = text === "" || text.toLowerCase() === "none";
    const why = isMissing ? `${column} is missing` : `${column} "${text.slice(0, 50)}" is not known`;
    const expected = first ? "BlockBlob, PageBlob or nothing" : "BlockBlob or PageBlob";
    this.#report(row, column, text, `'None' isn't valid: ${why}`, `${expected} (the letter case matters)`);
    return undefined;
  }

  #disposition(row: CsvRow): Disposition {
    const text = row.value("Disposition").trim();
    const fallback = this.#table.header.generation === 3 ? "overwrite" : "rename";
    const known = DISPOSITIONS.find((disposition) => disposition === text);
    if (known === undefined && text !== "") {
      const expected = "rename, no-overwrite or overwrite, in lower case";
      this.#report(row, "Disposition", text, "this is no disposition", expected);
    }
    return this.#options.dispositionOverride ?? known ?? fallback;
  }

  #sideFile(row: CsvRow, column: (typeof SIDE_COLUMNS)[number]): string | undefined {
    const text = row.value(column);
    if (text.trim() === "" || text.trim().toLowerCase() === "none") return undefined;
    const result = parseBasePath(text, this.#options.platform);
    if (result.ok && !result.endsInSeparator) return result.path;
    const message = result.ok ? "a directory is named where a file is wanted" : result.message;
    this.#report(row, column, text, message, "the absolute path of an XML file, or None");
    return undefined;
  }

  #report(row: CsvRow, column: string, value: string | undefined, message: string, expected: string | undefined): void {
    this.problems.push({
      file: this.#file,
      line: row.line,
      column,
      ...(value === undefined ? {} : { value: shownValue(value) }),
      message,
      ...(expected === undefined ? {} : { expected }),
    });
  }
}
