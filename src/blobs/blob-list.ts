/**
 * Blob lists: which blobs to export, as XML (the same form for jobs, previews and what did not fit), or as plain
 * selectors. Letter case of elements and attributes is part of the format; matching is literal and case-sensitive.
 *
 *   <BlobList><BlobPath IncludeSnapshots="false">box/a.jpg</BlobPath><BlobPathPrefix>/box/</BlobPathPrefix></BlobList>
 */
import { type SaxesOptions, SaxesParser, type SaxesTagPlain } from "saxes";
import { UsageError } from "../platform/app-error.ts";
import { ROOT_CONTAINER } from "./name-rules.ts";

export type BlobSelector =
  | {
      kind: "blob";
      container: string;
      name: string;
      /** All (the default), none, or the one of this time, without the blob itself. */
      snapshots: "all" | "none" | { time: string };
    }
  | {
      kind: "prefix";
      /** A whole name when `isWholeContainer`, else the beginning of names. */
      container: string;
      isWholeContainer: boolean;
      namePrefix: string;
    };

const MAX_TEXT_UNITS = 4 * 1024;
const SNAPSHOT_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?Z$/;

/** `text` of a blob list file. Throws BLOB_LIST_INVALID with the position. */
export function parseBlobList(text: string, file: string): BlobSelector[] {
  const selectors: BlobSelector[] = [];
  const sax: SaxesParser<SaxesOptions & { xmlns?: false }> = new SaxesParser({});
  const open: string[] = [];
  let attributes: Readonly<Record<string, string>> = {};
  let content = "";
  const fail = (problem: string): never => {
    throw invalid(`"${file}" at line ${sax.line}, column ${sax.column}: ${problem}`, { file, line: sax.line });
  };
  sax.on("doctype", () => fail("a document type declaration"));
  sax.on("processinginstruction", () => fail("a processing instruction"));
  sax.on("opentag", (tag) => {
    const { name } = tag as SaxesTagPlain;
    const expected = open.length === 0 ? ["BlobList"] : open.length === 1 ? ["BlobPath", "BlobPathPrefix"] : [];
    if (!expected.includes(name)) fail(`<${name.slice(0, 100)}> has no place here`);
    open.push(name);
    attributes = (tag as SaxesTagPlain).attributes;
    content = "";
  });
  const addText = (piece: string): void => {
    if (open.length < 2 && /\S/.test(piece)) fail("text between the elements");
    content += piece;
    if (content.length > MAX_TEXT_UNITS) fail("a path that is too long");
  };
  sax.on("text", addText);
  sax.on("cdata", addText);
  sax.on("closetag", () => {
    const name = open.pop();
    if (open.length === 1) selectors.push(toSelector(name ?? "", content, attributes, fail));
  });
  try {
    sax.write(text.replace(/^\ufeff/, "")).close();
  } catch (error) {
    if (error instanceof UsageError) throw error;
    // A second root element is how lists with Azure Files come.
    if (text.includes("<AzureFileList")) fail("Azure Files cannot be exported");
    fail((error as Error).message.replace(/^[^ ]*\d+:\d+: /, "").replace(/\.$/, ""));
  }
  if (selectors.length === 0) fail("it names no blob");
  return selectors;
}

/** `container/name`, or with a slash before it. */
export function toBlobSelector(path: string, snapshots: "all" | "none" | { time: string } = "all"): BlobSelector {
  const plain = path.startsWith("/") ? path.slice(1) : path;
  const slash = plain.indexOf("/");
  if (slash <= 0 || slash === plain.length - 1) {
    throw invalid(
      `"${path}" is not of the form container/name (a blob of the root container is ${ROOT_CONTAINER}/name)`,
    );
  }
  return { kind: "blob", container: plain.slice(0, slash), name: plain.slice(slash + 1), snapshots };
}

/** `/` for everything, `/box` for containers that begin so, `/box/` for one container, `/box/pre` for names in it. */
export function toPrefixSelector(prefix: string): BlobSelector {
  if (!prefix.startsWith("/")) throw invalid(`the prefix "${prefix}" does not begin with a slash`);
  const plain = prefix.slice(1);
  const slash = plain.indexOf("/");
  return slash < 0
    ? { kind: "prefix", container: plain, isWholeContainer: false, namePrefix: "" }
    : { kind: "prefix", container: plain.slice(0, slash), isWholeContainer: true, namePrefix: plain.slice(slash + 1) };
}

export function selectorText(selector: BlobSelector): string {
  if (selector.kind === "blob") {
    const { snapshots } = selector;
    const which = typeof snapshots === "object" ? ` at ${snapshots.time}` : snapshots === "none" ? " alone" : "";
    return `${selector.container}/${selector.name}${which}`;
  }
  return `/${selector.container}${selector.isWholeContainer ? `/${selector.namePrefix}` : ""}`;
}

export const BLOB_LIST_START = '<?xml version="1.0" encoding="UTF-8"?>\n<BlobList>\n';
export const BLOB_LIST_END = "</BlobList>\n";

/** One line of a blob list: exactly this blob, or exactly this snapshot of it. */
export function blobListLine(blobPath: string, snapshot: string | undefined): string {
  const attribute = snapshot === undefined ? 'IncludeSnapshots="false"' : `SnapshotTime="${escapeText(snapshot)}"`;
  return `  <BlobPath ${attribute}>${escapeText(blobPath)}</BlobPath>\n`;
}

function toSelector(
  element: string,
  text: string,
  attributes: Readonly<Record<string, string>>,
  fail: (problem: string) => never,
): BlobSelector {
  for (const name of Object.keys(attributes)) {
    const isKnown = element === "BlobPath" && (name === "IncludeSnapshots" || name === "SnapshotTime");
    if (!isKnown) fail(`<${element}> has an attribute "${name.slice(0, 100)}"`);
  }
  try {
    if (element === "BlobPathPrefix") return toPrefixSelector(text);
    return toBlobSelector(text, readSnapshots(attributes, fail));
  } catch (error) {
    if (error instanceof UsageError && !error.message.includes("at line")) fail(error.message);
    throw error;
  }
}

function readSnapshots(
  attributes: Readonly<Record<string, string>>,
  fail: (problem: string) => never,
): "all" | "none" | { time: string } {
  const { SnapshotTime: time, IncludeSnapshots: include } = attributes;
  if (time !== undefined) {
    if (!SNAPSHOT_TIME.test(time)) fail(`"${time.slice(0, 100)}" is no SnapshotTime`);
    return { time };
  }
  if (include === undefined || include === "true" || include === "1") return "all";
  if (include === "false" || include === "0") return "none";
  return fail(`"${include.slice(0, 100)}" is no value of IncludeSnapshots`);
}

function escapeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

function invalid(reason: string, facts: Readonly<Record<string, unknown>> = {}): UsageError {
  return new UsageError("BLOB_LIST_INVALID", `the choice of blobs is not valid: ${reason}`, { facts });
}
