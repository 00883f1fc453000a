/**
 * Writes a drive log, version 2014-11-01, as a stream: memory does not grow with the number of blobs, and the same calls
 * give the same bytes. Order of the calls: `begin`, `blob` for each, `end`. Opening, syncing and closing are the caller's.
 */
import { writeAll } from "../platform/durable-file.ts";
import type { FileSystem } from "../platform/file-system.ts";
import { COPY_LOG_VERSION, type LogBlob, type LogSegment, type LogSide, type LogSideFile } from "./copy-log-model.ts";
import { toErrorLogForm } from "./error-log-form.ts";
import { escapeLogText } from "./log-text.ts";
import type { DriveStatus } from "./status-codes.ts";

const FLUSH_CHARACTERS = 64 * 1024;

export class CopyLogWriter {
  readonly #fs: FileSystem;
  readonly #fd: number;
  readonly #kind: "error" | "verbose";
  #text = "";
  #position = 0;

  /** An `error` log leaves out what succeeded; a `verbose` one has everything. */
  constructor(fs: FileSystem, fd: number, kind: "error" | "verbose") {
    this.#fs = fs;
    this.#fd = fd;
    this.#kind = kind;
  }

  begin(driveId: string): void {
    this.#add(`<?xml version="1.0" encoding="UTF-8"?>\n<DriveLog Version="${COPY_LOG_VERSION}">\n`);
    this.#add(element("  ", "DriveId", driveId));
  }

  blob(blob: LogBlob): void {
    const shown = this.#kind === "verbose" ? blob : toErrorLogForm(blob);
    if (shown === undefined) return;
    this.#add(
      `  <Blob Status="${escapeLogText(shown.status)}">\n` +
        element("    ", "BlobPath", shown.blobPath) +
        element("    ", "FilePath", shown.filePath) +
        element("    ", "Snapshot", shown.snapshot) +
        element("    ", "Length", shown.sizeBytes?.toString()) +
        element("    ", "LastModified", shown.lastModified),
    );
    if (shown.disposition !== undefined) {
      const { rule, status } = shown.disposition;
      const text = escapeLogText(rule);
      this.#add(`    <ImportDisposition Status="${escapeLogText(status)}">${text}</ImportDisposition>\n`);
    }
    this.#segments(shown.segments);
    this.#add(`${side("Metadata", shown.metadata)}${side("Properties", shown.properties)}  </Blob>\n`);
  }

  /** The log is complete then, not yet durable. Returns its size in bytes. */
  end(driveStatus: DriveStatus): number {
    this.#add(`${element("  ", "Status", driveStatus)}</DriveLog>\n`);
    this.#flush();
    return this.#position;
  }

  #segments(segments: LogBlob["segments"]): void {
    if (segments === undefined) return;
    const [list, name] = segments.type === "page" ? ["PageRangeList", "PageRange"] : ["BlockList", "Block"];
    if (segments.items.length === 0) {
      this.#add(`    <${list} />\n`);
      return;
    }
    this.#add(`    <${list}>\n`);
    for (const item of segments.items) this.#add(`      <${name}${segmentAttributes(item)} />\n`);
    this.#add(`    </${list}>\n`);
  }

  #add(text: string): void {
    this.#text += text;
    if (this.#text.length >= FLUSH_CHARACTERS) this.#flush();
  }

  #flush(): void {
    const bytes = Buffer.from(this.#text, "utf8");
    writeAll(this.#fs, this.#fd, bytes, this.#position);
    this.#position += bytes.length;
    this.#text = "";
  }
}

function segmentAttributes({ offset, length, id, hash, status }: LogSegment): string {
  const optional = (name: string, value: string | undefined): string =>
    value === undefined ? "" : ` ${name}="${escapeLogText(value)}"`;
  return ` Offset="${offset}" Length="${length}"${optional("Id", id)}${optional("Hash", hash)}${optional("Status", status)}`;
}

function side(name: string, value: LogSide | undefined): string {
  if (value === undefined) return "";
  const files = sideFile("GlobalPath", value.globalPath) + sideFile("Path", value.path);
  const open = `    <${name} Status="${escapeLogText(value.status)}"`;
  return files === "" ? `${open} />\n` : `${open}>\n${files}    </${name}>\n`;
}

function sideFile(name: string, file: LogSideFile | undefined): string {
  if (file === undefined) return "";
  const hash = file.hash === undefined ? "" : ` Hash="${escapeLogText(file.hash)}"`;
  return `      <${name}${hash}>${escapeLogText(file.path)}</${name}>\n`;
}

function element(indent: string, name: string, value: string | undefined): string {
  return value === undefined ? "" : `${indent}<${name}>${escapeLogText(value)}</${name}>\n`;
}
