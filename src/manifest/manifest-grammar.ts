/**
 * Which element may stand where in a drive manifest, with which attributes, and whether it holds text. Covers what
 * import and export manifests of the versions 2011-10-01 to 2014-11-01 hold. The order inside a parent is free but for
 * what the reader has to know before the first list and the first blob.
 */

export interface ElementRule {
  name: string;
  /** Longest text in UTF-16 units; 0: only children. */
  maxText: number;
  /** May stand several times in its parent. */
  isRepeated: boolean;
  /** Attributes, each with its bit. */
  attributes: ReadonlyMap<string, number>;
  /** Bits of those that must be there. */
  requiredBits: number;
  children: ReadonlyMap<string, ElementRule>;
  /** One bit among its siblings, to notice the second one. */
  bit: number;
}

interface RuleOptions {
  maxText?: number;
  isRepeated?: boolean;
  required?: readonly string[];
  optional?: readonly string[];
  children?: readonly ElementRule[];
}

/** Comments, keys and names: far above what is meaningful, far below what hurts. */
const SHORT_TEXT = 4 * 1024;
const LONG_TEXT = 64 * 1024;

function rule(name: string, options: RuleOptions = {}): ElementRule {
  const children = options.children ?? [];
  const required = options.required ?? [];
  const attributes = [...required, ...(options.optional ?? [])];
  return {
    name,
    maxText: options.maxText ?? 0,
    isRepeated: options.isRepeated ?? false,
    attributes: new Map(attributes.map((attribute, index) => [attribute, 2 ** index])),
    requiredBits: 2 ** required.length - 1,
    children: new Map(children.map((child, index) => [child.name, { ...child, bit: 2 ** index }])),
    bit: 0,
  };
}

const text = (name: string, maxText = SHORT_TEXT): ElementRule => rule(name, { maxText });
const sideFile = (name: string): ElementRule => rule(name, { maxText: LONG_TEXT, required: ["Hash"] });

const block = rule("Block", { isRepeated: true, required: ["Offset", "Length", "Hash"], optional: ["Id"] });
const pageRange = rule("PageRange", { isRepeated: true, required: ["Offset", "Length", "Hash"] });

const blob = rule("Blob", {
  isRepeated: true,
  children: [
    text("BlobPath"),
    text("FilePath", LONG_TEXT),
    text("ClientData", LONG_TEXT),
    text("Snapshot"),
    text("Length"),
    text("ImportDisposition"),
    rule("PageRangeList", { children: [pageRange] }),
    rule("BlockList", { children: [block] }),
    sideFile("MetadataPath"),
    sideFile("PropertiesPath"),
  ],
});

const blobList = rule("BlobList", {
  isRepeated: true,
  optional: ["Id"],
  children: [sideFile("MetadataPath"), sideFile("PropertiesPath"), blob],
});

const drive = rule("Drive", {
  children: [
    text("DriveId"),
    text("StorageAccountKey"),
    text("ContainerSas"),
    text("ClientCreator", LONG_TEXT),
    blobList,
  ],
});

/** What stands above the root element. */
export const DOCUMENT_RULE: ElementRule = rule("document", {
  children: [rule("DriveManifest", { required: ["Version"], children: [drive] })],
});
