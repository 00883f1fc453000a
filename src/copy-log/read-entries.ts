/**
 * One entry of a log from its elements. Samples differ in the order of children, leave attributes out and put blanks into
 * hashes; all of that is taken. Numbers that are none are refused: repair would act on them.
 */
import type { LogBlob, LogDoneFile, LogErroredEntity, LogSegment, LogSide, LogSideFile } from "./copy-log-model.ts";
import { type LogElement, LogProblem } from "./log-element.ts";
import { clipText } from "./log-text.ts";

type SegmentType = NonNullable<LogBlob["segments"]>["type"];

const LIST_TYPES: ReadonlyMap<string, SegmentType> = new Map([
  ["BlockList", "block"],
  ["PageRangeList", "page"],
  ["FileRangeList", "share"],
]);

export function toBlobEntry(element: LogElement, kind: LogBlob["kind"]): LogBlob {
  const entry: LogBlob = {
    kind,
    status: (element.attributes.Status ?? "").trim(),
    blobPath: textOf(element, kind === "blob" ? "BlobPath" : "FileStoragePath") ?? "",
    // Entries of renamed containers name the file by its original path.
    filePath: textOf(element, "FilePath") ?? textOf(element, "OriginalFilePath") ?? "",
  };
  for (const child of element.children) {
    const type = LIST_TYPES.get(child.name);
    if (type !== undefined) entry.segments = { type, items: child.segments };
    else addPart(entry, child);
  }
  return entry;
}

export function toSegment({ name, attributes }: LogElement): LogSegment {
  const { Id: id, Hash: hash } = attributes;
  return {
    offset: parseBytes(attributes.Offset, `Offset of <${name}>`),
    length: parseBytes(attributes.Length, `Length of <${name}>`),
    ...(id === undefined || id === "" ? {} : { id: id.trim() }),
    ...(hash === undefined || hash === "" ? {} : { hash: hash.trim().toUpperCase() }),
    status: (attributes.Status ?? "").trim(),
  };
}

export function toErroredEntity(element: LogElement): LogErroredEntity {
  return {
    kind: "errored-entity",
    path: element.attributes.Path ?? "",
    category: textOf(element, "Category") ?? "",
    ...given("cloudFormat", element.attributes.CloudFormat),
    ...given("errorCode", textOf(element, "ErrorCode")),
    ...given("errorMessage", textOf(element, "ErrorMessage")),
    ...given("entityType", textOf(element, "Type")),
    ...given("etag", textOf(element, "ETag")),
  };
}

export function toDoneFile({ attributes }: LogElement): LogDoneFile {
  const { Path, CloudFormat, Size, crc64, ETag } = attributes;
  return {
    kind: "done-file",
    path: Path ?? "",
    ...given("cloudFormat", CloudFormat),
    ...(Size === undefined ? {} : { sizeBytes: parseBytes(Size, "Size of <File>") }),
    ...given("crc64", crc64),
    ...given("etag", ETag),
  };
}

function addPart(entry: LogBlob, child: LogElement): void {
  const text = child.text.trim();
  switch (child.name) {
    case "Length":
    case "SizeInBytes":
      entry.sizeBytes = parseBytes(text, `<${child.name}>`);
      break;
    case "Snapshot":
      entry.snapshot = text;
      break;
    case "LastModified":
      entry.lastModified = text;
      break;
    case "ImportDisposition":
      entry.disposition = { rule: text, status: (child.attributes.Status ?? "").trim() };
      break;
    case "Metadata":
      entry.metadata = toSide(child);
      break;
    case "Properties":
      entry.properties = toSide(child);
      break;
  }
}

function toSide(element: LogElement): LogSide {
  const file = (name: string): LogSideFile | undefined => {
    const child = element.children.find((one) => one.name === name);
    if (child === undefined) return undefined;
    const hash = child.attributes.Hash?.trim().toUpperCase();
    return { path: child.text, ...given("hash", hash) };
  };
  return {
    status: (element.attributes.Status ?? "").trim(),
    ...given("globalPath", file("GlobalPath")),
    ...given("path", file("Path")),
  };
}

/** Names keep their blanks: only line ends and indentation around them are dropped. */
function textOf(element: LogElement, name: string): string | undefined {
  return element.children.find((child) => child.name === name)?.text.replace(/^[\r\n\t]+|[\r\n\t]+ *$/g, "");
}

function parseBytes(text: string | undefined, what: string): number {
  const digits = (text ?? "").trim();
  const value = /^[0-9]{1,16}$/.test(digits) ? Number(digits) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw new LogProblem(`the ${what}, "${clipText(digits)}", is no number of bytes`);
  return value;
}

function given<K extends string, T>(name: K, value: T | undefined): { [P in K]?: T } {
  return value === undefined ? {} : ({ [name]: value } as { [P in K]?: T });
}
