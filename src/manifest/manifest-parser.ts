/**
 * Turns the XML of a manifest into calls of a handler. The grammar (manifest-grammar.ts) says what may stand where, this
 * says what it means; every complaint has its position.
 */
import { type SaxesOptions, SaxesParser, type SaxesTagPlain } from "saxes";
import { AppError, DamagedError } from "../platform/app-error.ts";
import { findPathProblem } from "./drive-file-path.ts";
import { DOCUMENT_RULE, type ElementRule } from "./manifest-grammar.ts";
import type { BlobListHead, ManifestHead, SideFile } from "./manifest-model.ts";
import { BlobBuilder, BlobProblem, clip, type ReadBlob } from "./read-blob.ts";

/** The most that may pass between two tags or texts. */
const MAX_TOKEN_BYTES = 256 * 1024;
const MAX_ATTRIBUTE_UNITS = 4096;
/** The versions that are known; one printed by a template has letters for month and day. */
const VERSION = /^20\d\d-(\d\d-\d\d|MM-DD)$/;
const OLDEST_VERSION = "2011-10-01";
const NEWEST_VERSION = "2014-11-01";
const NOT_BLANK = /[^ \t\r\n]/;
const BASE16_MD5 = /^[0-9A-Fa-f]{32}$/;

export interface ReadManifestHead extends ManifestHead {
  version: string;
}

/** Called in the order of the manifest. What a handler throws ends the reading and passes through. */
export interface ManifestHandler {
  driveStart?(head: ReadManifestHead): void;
  blobListStart?(list: BlobListHead): void;
  blob?(blob: ReadBlob): void;
}

/** What was read, once all of it was. */
export interface ManifestFacts {
  head: ReadManifestHead;
  blobLists: number;
  blobs: number;
  /** Sum of the files' lengths. */
  bytes: number;
}

/** Turns XML into the handler's calls. One frame per open element; the grammar bounds their number. */
export class ManifestParser {
  readonly #path: string;
  readonly #handler: ManifestHandler;
  readonly #sax: SaxesParser<SaxesOptions & { xmlns?: false }> = new SaxesParser({});
  readonly #rules: ElementRule[] = [DOCUMENT_RULE];
  /** Which children were seen, by depth. */
  readonly #seen: number[] = [0];
  readonly #blob = new BlobBuilder();
  #rule: ElementRule = DOCUMENT_RULE;
  #depth = 0;
  #text = "";
  #hash = "";
  #head: Partial<ReadManifestHead> = {};
  #isHeadGiven = false;
  #list: BlobListHead = {};
  #isListGiven = false;
  #blobLists = 0;
  #blobs = 0;
  #bytes = 0;
  #bytesSinceEvent = 0;
  #isInHandler = false;

  constructor(path: string, handler: ManifestHandler) {
    this.#path = path;
    this.#handler = handler;
    const sax = this.#sax;
    // At most seven handlers: with more, V8 keeps the parser as a dictionary and it is five times slower.
    // Errors of the parser are therefore caught, the XML declaration is looked at with the first element.
    sax.on("doctype", () => this.#fail("a document type declaration"));
    sax.on("processinginstruction", () => this.#fail("a processing instruction"));
    sax.on("opentag", (tag) => this.#open(tag as SaxesTagPlain));
    sax.on("closetag", () => this.#close());
    sax.on("text", (text) => this.#addText(text));
    sax.on("cdata", (text) => this.#addText(text));
  }

  write(text: string, bytes: number): void {
    this.#bytesSinceEvent += bytes;
    this.#guard(() => this.#sax.write(text));
    if (this.#bytesSinceEvent > MAX_TOKEN_BYTES) this.#fail("a name, value or comment that does not end");
  }

  end(): void {
    this.#guard(() => this.#sax.close());
    if (!this.#isHeadGiven) this.#fail("no Drive element");
  }

  facts(): ManifestFacts {
    return {
      head: this.#head as ReadManifestHead,
      blobLists: this.#blobLists,
      blobs: this.#blobs,
      bytes: this.#bytes,
    };
  }

  #open(tag: SaxesTagPlain): void {
    this.#bytesSinceEvent = 0;
    const rule = this.#rule.children.get(tag.name);
    if (rule === undefined) this.#fail(`<${clip(tag.name)}> has no place in <${this.#rule.name}>`);
    const depth = this.#depth;
    const seen = this.#seen[depth] ?? 0;
    if (!rule.isRepeated && (seen & rule.bit) !== 0) this.#fail(`a second <${rule.name}> in <${this.#rule.name}>`);
    this.#seen[depth] = seen | rule.bit;
    this.#checkAttributes(rule, tag.attributes);
    this.#depth = depth + 1;
    this.#rules[depth + 1] = rule;
    this.#seen[depth + 1] = 0;
    this.#rule = rule;
    this.#text = "";
    this.#start(rule.name, tag.attributes);
  }

  #close(): void {
    this.#bytesSinceEvent = 0;
    const { name } = this.#rule;
    this.#depth -= 1;
    this.#rule = this.#rules[this.#depth] ?? DOCUMENT_RULE;
    this.#finish(name, this.#text);
  }

  #addText(text: string): void {
    this.#bytesSinceEvent = 0;
    if (this.#rule.maxText === 0) {
      if (NOT_BLANK.test(text)) this.#fail(`text in <${this.#rule.name}>`);
      return;
    }
    this.#text = this.#text === "" ? text : this.#text + text;
    if (this.#text.length > this.#rule.maxText) this.#fail(`the text of <${this.#rule.name}> is too long`);
  }

  #start(name: string, attributes: Readonly<Record<string, string>>): void {
    switch (name) {
      case "Block":
      case "PageRange":
        this.#blob.addSegment(attributes);
        break;
      case "Blob":
        this.#giveList();
        this.#blob.start();
        break;
      case "BlockList":
        this.#blob.startList("block");
        break;
      case "PageRangeList":
        this.#blob.startList("page");
        break;
      case "MetadataPath":
      case "PropertiesPath":
        this.#hash = attributes.Hash ?? "";
        break;
      case "BlobList":
        this.#giveHead();
        this.#list = attributes.Id === undefined ? {} : { id: attributes.Id };
        this.#isListGiven = false;
        break;
      case "DriveManifest":
        this.#checkDeclaration();
        this.#head.version = this.#checkVersion(attributes.Version ?? "");
        break;
    }
  }

  /** `this.#rule` is the parent again. */
  #finish(name: string, text: string): void {
    switch (name) {
      case "Block":
      case "PageRange":
      case "BlockList":
      case "PageRangeList":
      case "DriveManifest":
        break;
      case "Blob":
        this.#giveBlob();
        break;
      case "BlobList":
        this.#giveList();
        break;
      case "Drive":
        this.#giveHead();
        break;
      case "MetadataPath":
      case "PropertiesPath":
        this.#setSideFile(name, text);
        break;
      default:
        if (this.#rule.name === "Blob") this.#blob.set(name, text);
        else this.#setHead(name, text);
    }
  }

  #setHead(name: string, text: string): void {
    if (this.#isHeadGiven) this.#fail(`<${name}> after the first <BlobList>`);
    if (name === "DriveId") this.#head.driveId = text;
    else if (name === "StorageAccountKey") this.#head.storageAccountKey = text;
    else if (name === "ContainerSas") this.#head.containerSas = text;
    else this.#head.clientCreator = text;
  }

  #setSideFile(name: string, path: string): void {
    if (!BASE16_MD5.test(this.#hash)) this.#fail(`the Hash of <${name}> is not 32 hexadecimal digits`);
    const problem = findPathProblem(path);
    if (problem !== undefined) this.#fail(`the path "${clip(path)}" of <${name}> cannot be used: ${problem}`);
    const file: SideFile = { path, hash: this.#hash.toUpperCase() };
    if (this.#rule.name === "Blob") this.#blob.setSideFile(name, file);
    else if (this.#isListGiven) this.#fail(`<${name}> of a <BlobList> after its first <Blob>`);
    else if (name === "MetadataPath") this.#list.metadata = file;
    else this.#list.properties = file;
  }

  #giveHead(): void {
    if (this.#isHeadGiven) return;
    const { driveId } = this.#head;
    if (driveId === undefined || driveId === "") this.#fail("no <DriveId> before the first <BlobList>");
    if (this.#head.storageAccountKey !== undefined && this.#head.containerSas !== undefined) {
      this.#fail("a <StorageAccountKey> and a <ContainerSas>");
    }
    this.#isHeadGiven = true;
    this.#isInHandler = true;
    this.#handler.driveStart?.(this.#head as ReadManifestHead);
    this.#isInHandler = false;
  }

  #giveList(): void {
    if (this.#isListGiven) return;
    this.#isListGiven = true;
    this.#blobLists += 1;
    this.#isInHandler = true;
    this.#handler.blobListStart?.(this.#list);
    this.#isInHandler = false;
  }

  #giveBlob(): void {
    const blob = this.#blob.end(this.#list);
    this.#blobs += 1;
    this.#bytes += blob.sizeBytes;
    this.#isInHandler = true;
    this.#handler.blob?.(blob);
    this.#isInHandler = false;
  }

  #checkAttributes(rule: ElementRule, attributes: Readonly<Record<string, string>>): void {
    let found = 0;
    for (const name in attributes) {
      const bit = rule.attributes.get(name);
      if (bit === undefined) this.#fail(`<${rule.name}> has an attribute "${clip(name)}"`);
      if ((attributes[name] ?? "").length > MAX_ATTRIBUTE_UNITS)
        this.#fail(`the ${name} of <${rule.name}> is too long`);
      found |= bit;
    }
    if ((found & rule.requiredBits) === rule.requiredBits) return;
    for (const [name, bit] of rule.attributes) {
      if ((rule.requiredBits & ~found & bit) !== 0) this.#fail(`<${rule.name}> has no ${name}`);
    }
  }

  #checkDeclaration(): void {
    const { version, encoding } = this.#sax.xmlDecl;
    if (version !== undefined && version !== "1.0") this.#fail(`XML version "${clip(version)}"`);
    if (encoding !== undefined && encoding.toLowerCase() !== "utf-8") this.#fail(`encoding "${clip(encoding)}"`);
  }

  #checkVersion(version: string): string {
    if (!VERSION.test(version) || version < OLDEST_VERSION) this.#fail(`"${clip(version)}" is no manifest version`);
    if (version > NEWEST_VERSION && !version.startsWith("2011-")) {
      this.#fail(`version "${version}" is newer than ${NEWEST_VERSION}, the newest that is known`);
    }
    return version;
  }

  /** Gives the parser's plain errors and a blob's problem their position; what a handler throws passes. */
  #guard(action: () => void): void {
    this.#isInHandler = false;
    try {
      action();
    } catch (error) {
      if (error instanceof BlobProblem) this.#fail(error.message, this.#blob.blobPath);
      if (error instanceof AppError || this.#isInHandler || !(error instanceof Error)) throw error;
      this.#fail(error.message.replace(/^[^ ]*\d+:\d+: /, "").replace(/\.$/, ""));
    }
  }

  #fail(problem: string, blobPath?: string): never {
    const { line, column } = this.#sax;
    const blob = blobPath === undefined ? "" : `blob "${clip(blobPath)}": `;
    throw new DamagedError(
      "MANIFEST_INVALID",
      `the manifest "${this.#path}" is not valid at line ${line}, column ${column}: ${blob}${problem}`,
      { facts: { path: this.#path, line, column, ...(blobPath === undefined ? {} : { blobPath: clip(blobPath) }) } },
    );
  }
}
