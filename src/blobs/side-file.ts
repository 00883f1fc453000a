/**
 * Metadata and properties files: small XML documents that the service applies to every blob of a dataset row.
 *
 *   <Metadata><name>value</name>...</Metadata>       <Properties><Content-Type>...</Content-Type>...</Properties>
 *
 * Checked here, copied to the drive byte for byte.
 */
import { isUtf8 } from "node:buffer";
import { XMLParser, XMLValidator } from "fast-xml-parser";
import { InputError, type InputProblem } from "../platform/app-error.ts";

export type SideFileKind = "metadata" | "properties";

/** Names and values in the order of the file. */
export type SideFileEntries = readonly (readonly [name: string, value: string])[];

export const MAX_SIDE_FILE_BYTES = 256 * 1024;
/** Set Blob Metadata: all names and values together. */
const MAX_METADATA_BYTES = 8 * 1024;

const SETTABLE = ["Content-Type", "Content-MD5", "Content-Encoding", "Content-Language", "Cache-Control"] as const;
/** Written by the service on export; no blob can be given them. */
const EXPORT_ONLY = ["Last-Modified", "Etag", "Content-Length"];

const TEXT = "#text";
const ATTRIBUTES = ":@";

interface Node {
  [name: string]: Node[] | string | Record<string, string>;
}

export interface SideFileOptions {
  /** Take, and leave out, what the service writes on export and ignores on import. */
  allowExportOnly?: boolean;
}

/** Throws InputError SIDE_FILE_INVALID with all mistakes that can be told apart. */
export function parseSideFile(
  kind: SideFileKind,
  content: Uint8Array,
  file: string,
  options: SideFileOptions = {},
): SideFileEntries {
  const text = decodeXml(kind, content, file);
  const parser = new XMLParser({
    preserveOrder: true,
    parseTagValue: false,
    parseAttributeValue: false,
    trimValues: false,
    ignoreAttributes: false,
    attributeNamePrefix: "",
    ignoreDeclaration: true,
    ignorePiTags: true,
  });
  const roots = parseXml(parser, text, kind, file).filter((node) => !(TEXT in node));
  const rootName = kind === "metadata" ? "Metadata" : "Properties";
  const root = roots[0];
  if (root === undefined || roots.length > 1 || !(rootName in root)) {
    const found = root === undefined ? "no element" : roots.length > 1 ? "several elements" : `<${nameOf(root)}>`;
    fail(kind, file, [{ file, line: 1, message: `the root element is ${found}`, expected: `<${rootName}>` }]);
  }
  const problems: InputProblem[] = [];
  const allEntries = readEntries(root[rootName] as Node[], text, file, problems);
  const isLeftOut = (name: string): boolean =>
    options.allowExportOnly === true && kind === "properties" && EXPORT_ONLY.includes(name);
  const entries = allEntries.filter(([name]) => !isLeftOut(name));
  if (ATTRIBUTES in root) problems.push({ file, line: 1, message: `<${rootName}> has attributes`, expected: "none" });
  const check = kind === "metadata" ? checkMetadata : checkProperties;
  for (const found of check(entries)) problems.push({ file, line: lineOfElement(text, found.name), ...found.problem });
  if (problems.length > 0) fail(kind, file, problems);
  return entries;
}

/** The parser refuses what is nested too deep, and more, with errors of its own. */
function parseXml(parser: XMLParser, text: string, kind: SideFileKind, file: string): Node[] {
  try {
    return parser.parse(text) as Node[];
  } catch {
    fail(kind, file, [
      { file, line: 1, message: "the file cannot be parsed", expected: "elements in one root element" },
    ]);
  }
}

function decodeXml(kind: SideFileKind, content: Uint8Array, file: string): string {
  if (content.length > MAX_SIDE_FILE_BYTES) {
    const message = `the file has ${content.length} bytes, more than ${MAX_SIDE_FILE_BYTES}`;
    fail(kind, file, [{ file, message }]);
  }
  if (!isUtf8(content) || content.includes(0)) {
    fail(kind, file, [{ file, line: 1, message: "the file is not UTF-8 text", expected: "UTF-8" }]);
  }
  const text = new TextDecoder("utf-8").decode(content);
  const doctype = text.search(/<!(DOCTYPE|ENTITY)/i);
  if (doctype >= 0) {
    fail(kind, file, [{ file, line: lineAt(text, doctype), message: "the file has a document type declaration" }]);
  }
  const verdict = XMLValidator.validate(text);
  if (verdict !== true) {
    const reason = verdict.err.msg.replace(/\.$/, "");
    fail(kind, file, [{ file, line: verdict.err.line, message: `not well-formed XML: ${reason}` }]);
  }
  return text;
}

function readEntries(nodes: readonly Node[], text: string, file: string, problems: InputProblem[]): [string, string][] {
  const entries: [string, string][] = [];
  for (const node of nodes) {
    if (TEXT in node) {
      if (String(node[TEXT]).trim() !== "")
        problems.push({ file, line: 1, message: "text stands between the elements" });
      continue;
    }
    const name = nameOf(node);
    const children = node[name] as Node[];
    const line = lineOfElement(text, name);
    if (ATTRIBUTES in node) problems.push({ file, line, message: `<${name}> has attributes`, expected: "none" });
    if (children.some((child) => !(TEXT in child))) {
      problems.push({ file, line, message: `<${name}> holds other elements`, expected: "text" });
      continue;
    }
    entries.push([name, children.map((child) => String(child[TEXT])).join("")]);
  }
  return entries;
}

interface EntryProblem {
  name: string;
  problem: Pick<InputProblem, "message" | "expected">;
}

function checkMetadata(entries: SideFileEntries): EntryProblem[] {
  const found: EntryProblem[] = [];
  let totalBytes = 0;
  for (const [name, value] of entries) {
    totalBytes += Buffer.byteLength(name) + Buffer.byteLength(value);
    // ASCII on purpose: metadata travels as HTTP headers, so that other letters of C# identifiers cannot be sent.
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      const expected = "a C# identifier: letters, digits and '_', no digit first";
      found.push({ name, problem: { message: `the metadata name "${name}" is not allowed`, expected } });
    }
    found.push(...checkHeaderValue(name, value));
  }
  found.push(...checkDuplicates(entries));
  if (totalBytes > MAX_METADATA_BYTES) {
    const message = `names and values have ${totalBytes} bytes together`;
    found.push({ name: "Metadata", problem: { message, expected: `at most ${MAX_METADATA_BYTES}` } });
  }
  return found;
}

function checkProperties(entries: SideFileEntries): EntryProblem[] {
  const found: EntryProblem[] = [];
  for (const [name, value] of entries) {
    if (!SETTABLE.some((known) => known === name)) {
      const message = EXPORT_ONLY.includes(name)
        ? `<${name}> is written by the service on export and cannot be set`
        : `<${name}> is no property of a blob`;
      found.push({ name, problem: { message, expected: SETTABLE.join(", ") } });
    } else if (name === "Content-MD5" && !/^[A-Za-z0-9+/]{21}[AQgw]==$/.test(value.trim())) {
      const expected = "24 characters that end in '=='";
      found.push({ name, problem: { message: "<Content-MD5> is not the Base64 form of 16 bytes", expected } });
    }
    found.push(...checkHeaderValue(name, value));
  }
  return [...found, ...checkDuplicates(entries)];
}

/** Both kinds of values become HTTP headers. Blanks around a value are dropped on the way. */
function checkHeaderValue(name: string, value: string): EntryProblem[] {
  if (/^[\x20-\x7e\t]*$/.test(value.trim())) return [];
  const message = `the value of <${name}> holds line breaks, control or non-ASCII characters`;
  return [{ name, problem: { message, expected: "one line of ASCII text" } }];
}

function checkDuplicates(entries: SideFileEntries): EntryProblem[] {
  const seen = new Set<string>();
  const found: EntryProblem[] = [];
  for (const [name] of entries) {
    if (seen.has(name.toLowerCase())) found.push({ name, problem: { message: `<${name}> occurs twice` } });
    seen.add(name.toLowerCase());
  }
  return found;
}

function nameOf(node: Node): string {
  return Object.keys(node).find((key) => key !== ATTRIBUTES) ?? "";
}

function lineOfElement(text: string, name: string): number {
  return lineAt(text, Math.max(0, text.indexOf(`<${name}`)));
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

function fail(kind: SideFileKind, file: string, problems: readonly InputProblem[]): never {
  throw new InputError("SIDE_FILE_INVALID", `"${file}" is not a ${kind} file: ${problems[0]?.message}`, problems);
}
