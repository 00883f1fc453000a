/**
 * What the service has to know of a sealed drive: its `DriveInfo` record in the journal, and the same record alone in
 * `<DriveId>.xml` beside it, which is uploaded to the portal. The value is a small XML document; readers take the record
 * as well as the bare document.
 */
import { XMLParser, XMLValidator } from "fast-xml-parser";
import { AppError, DamagedError, UsageError } from "../platform/app-error.ts";
import { writeFileDurably } from "../platform/durable-file.ts";
import { joinPath } from "../platform/file-path.ts";
import type { FileSystem } from "../platform/file-system.ts";
import { entryValue, type JournalEntry, type JournalRecord, parseRecord, printRecord } from "./journal-record.ts";

export interface DriveInfo {
  driveId: string;
  /** A secret: 48-digit key, or a Base64 external key; empty when a document has none. */
  bitLockerKey: string;
  /** From the drive root: `\DriveManifest.xml`. */
  manifestFile: string;
  /** Upper-case Base16 MD5. */
  manifestHash: string;
}

const ACTIVITY = "DriveInfo";
const OWNER_ONLY = 0o600;
/** Far above any document of four short values. */
const MAX_DOCUMENT_UNITS = 64 * 1024;
const NOT_IN_FILE_NAMES = /[^A-Za-z0-9._-]/gu;

/** The record's key lines, for `JournalFile.append`. */
export function driveInfoRecord(info: DriveInfo): JournalEntry[] {
  return [
    ["ActivityId", ACTIVITY],
    ["DriveState", driveInfoXml(info)],
    ["SaveCommandOutput", "Completed"],
  ];
}

/** The drive of a `DriveInfo` record; undefined for any other record. Throws JOURNAL_DAMAGED on a bad document. */
export function readDriveInfoRecord(record: JournalRecord): DriveInfo | undefined {
  if (record.type !== "ActivityRecord" || entryValue(record, "ActivityId") !== ACTIVITY) return undefined;
  const document = entryValue(record, "DriveState");
  return document === undefined ? undefined : parseDocument(document);
}

export function driveInfoXml(info: DriveInfo): string {
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    "<Drive>",
    `   <DriveId>${escapeText(info.driveId)}</DriveId>`,
    `   <BitLockerKey>${escapeText(info.bitLockerKey)}</BitLockerKey>`,
    `   <ManifestFile>${escapeText(info.manifestFile)}</ManifestFile>`,
    `   <ManifestHash>${escapeText(info.manifestHash)}</ManifestHash>`,
    "</Drive>",
  ].join("\n");
}

/** Content of a `<DriveId>.xml`, wrapped in its record or bare. Throws USAGE_BAD_VALUE: the user named the file. */
export function parseDriveInfo(text: string): DriveInfo {
  const content = text.replace(/^\ufeff/, "").trimStart();
  try {
    if (!content.startsWith("[")) return parseDocument(content.trimEnd());
    const parsed = parseRecord(Buffer.from(content, "utf8"), 0);
    const info = parsed.kind === "record" ? readDriveInfoRecord(parsed.record) : undefined;
    if (info !== undefined) return info;
  } catch (error) {
    if (!(error instanceof DamagedError)) throw error;
    throw new UsageError("USAGE_BAD_VALUE", error.message, { hint: HINT, cause: error });
  }
  throw new UsageError("USAGE_BAD_VALUE", "the text holds no DriveInfo record", { hint: HINT });
}

const HINT = "give the <DriveId>.xml that was written beside the journal";

/** Writes `<DriveId>.xml` into `directory`, replacing an earlier one whole; returns its path. */
export function writeDriveInfoFile(fs: FileSystem, directory: string, info: DriveInfo, timeMs: number): string {
  const name = driveInfoFileName(info.driveId);
  const path = joinPath(directory, name);
  const text = printRecord({ timeMs, type: "ActivityRecord", entries: driveInfoRecord(info) });
  // A name of its own: what a killed run leaves holds a key and must go with the next one.
  writeFileDurably(fs, path, Buffer.from(text, "utf8"), OWNER_ONLY, `.${name}.tmp`);
  return path;
}

export function driveInfoFileName(driveId: string): string {
  return `${driveId.replace(NOT_IN_FILE_NAMES, "_")}.xml`;
}

function parseDocument(text: string): DriveInfo {
  if (text.length > MAX_DOCUMENT_UNITS) throw invalid("it is too long");
  if (/<!DOCTYPE|<!ENTITY/i.test(text)) throw invalid("it has a document type declaration");
  if (XMLValidator.validate(text) !== true) throw invalid("it is not well-formed XML");
  const parser = new XMLParser({ parseTagValue: false, ignoreAttributes: true, ignoreDeclaration: true });
  const root = parseXml(parser, text);
  const drive = root.Drive;
  if (typeof drive !== "object" || drive === null) throw invalid("its root is not <Drive>");
  const value = (name: string): string => {
    const found = (drive as Record<string, unknown>)[name] ?? "";
    if (typeof found !== "string") throw invalid(`<${name}> is not one value`);
    return found;
  };
  const info: DriveInfo = {
    driveId: value("DriveId"),
    bitLockerKey: value("BitLockerKey"),
    manifestFile: value("ManifestFile"),
    manifestHash: value("ManifestHash").toUpperCase(),
  };
  if (info.driveId === "") throw invalid("it has no <DriveId>");
  if (info.manifestFile === "") throw invalid("it has no <ManifestFile>");
  if (!/^[0-9A-F]{32}$/.test(info.manifestHash)) throw invalid("its <ManifestHash> is not 32 hexadecimal digits");
  return info;
}

/** The parser refuses what is nested too deep, and more, with errors of its own. */
function parseXml(parser: XMLParser, text: string): Record<string, unknown> {
  try {
    return parser.parse(text) as Record<string, unknown>;
  } catch {
    throw invalid("it cannot be parsed");
  }
}

function invalid(reason: string): DamagedError {
  return new DamagedError("JOURNAL_DAMAGED", `the drive information cannot be used: ${reason}`);
}

const ENTITY: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

function escapeText(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what XML cannot carry
  if (/[\x00-\x1f\ufffe\uffff]|\p{Cs}/u.test(text)) {
    throw new AppError("INTERNAL", "the drive information holds a character that XML cannot carry");
  }
  return text.replace(/[&<>]/g, (character) => ENTITY[character] ?? character);
}
