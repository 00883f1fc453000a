/** One blob on its way out of a manifest: gathered element by element, checked as a whole when it ends. */
import { findPathProblem } from "./drive-file-path.ts";
import {
  type BlobListHead,
  type BlobType,
  type Disposition,
  MAX_BLOCK_COUNT,
  MAX_SEGMENT_BYTES,
  PAGE_BYTES,
  type SideFile,
} from "./manifest-model.ts";
import { SegmentList } from "./segment-list.ts";

/** A container's name, a slash and a blob name of 1,024 characters, each of which may take two UTF-16 units. */
const MAX_BLOB_PATH_UNITS = 64 + 2 * 1024;
const DISPOSITIONS: ReadonlySet<string> = new Set(["rename", "no-overwrite", "overwrite"]);
const BLOCK_ID = /^[A-Za-z0-9+/]+={0,2}$/;
/** 64 bytes as Base64. */
const MAX_BLOCK_ID_UNITS = 88;

/** A blob as the reader hands it over. */
export interface ReadBlob {
  blobPath: string;
  /** As written; checked to be a plain path below the drive's root. */
  filePath: string;
  sizeBytes: number;
  blobType: BlobType;
  /** False when the manifest gives neither blocks nor page ranges: nothing but the length is known. */
  isListed: boolean;
  /** Import manifests only; absent means `rename`. */
  disposition?: Disposition;
  clientData?: string;
  /** Export manifests only. */
  snapshot?: string;
  /** Of this blob; its list's defaults are in `list`. */
  metadata?: SideFile;
  properties?: SideFile;
  list: BlobListHead;
  /** Valid only during the call: the next blob overwrites it. */
  segments: SegmentList;
}

/** Names what is wrong; the reader adds the position. */
export class BlobProblem extends Error {}

export class BlobBuilder {
  readonly segments = new SegmentList();
  blobPath: string | undefined;
  #filePath: string | undefined;
  #sizeBytes: number | undefined;
  #blobType: BlobType | undefined;
  #extra: Partial<ReadBlob> = {};
  /** End of the last segment. */
  #covered = 0;

  start(): void {
    this.segments.clear();
    this.blobPath = undefined;
    this.#filePath = undefined;
    this.#sizeBytes = undefined;
    this.#blobType = undefined;
    this.#extra = {};
    this.#covered = 0;
  }

  /** Takes a child with text. */
  set(name: string, text: string): void {
    switch (name) {
      case "BlobPath":
        this.blobPath = text;
        break;
      case "FilePath":
        this.#filePath = text;
        break;
      case "Length":
        this.#sizeBytes = parseSize(text, "Length");
        break;
      case "ImportDisposition":
        if (!DISPOSITIONS.has(text)) throw new BlobProblem(`"${clip(text)}" is no ImportDisposition`);
        this.#extra.disposition = text as Disposition;
        break;
      case "ClientData":
        this.#extra.clientData = text;
        break;
      case "Snapshot":
        this.#extra.snapshot = text;
        break;
    }
  }

  setSideFile(name: string, file: SideFile): void {
    if (name === "MetadataPath") this.#extra.metadata = file;
    else this.#extra.properties = file;
  }

  startList(blobType: BlobType): void {
    if (this.#blobType !== undefined) throw new BlobProblem("a blob has a block list and a page range list");
    this.#blobType = blobType;
  }

  addSegment(attributes: Readonly<Record<string, string>>): void {
    const offset = parseSize(attributes.Offset ?? "", "Offset");
    const length = parseSize(attributes.Length ?? "", "Length");
    if (length === 0 || length > MAX_SEGMENT_BYTES) {
      throw new BlobProblem(`a segment of ${length} bytes: 1 to ${MAX_SEGMENT_BYTES} are possible`);
    }
    if (offset < this.#covered) throw new BlobProblem(`the segment at ${offset} overlaps the one before it`);
    if (this.#blobType === "block") this.#checkBlock(offset, attributes.Id);
    else if (offset % PAGE_BYTES !== 0 || length % PAGE_BYTES !== 0) {
      throw new BlobProblem(`the page range at ${offset} is not made of whole pages of ${PAGE_BYTES} bytes`);
    }
    if (!this.segments.add(offset, length, attributes.Hash ?? "")) {
      throw new BlobProblem(`the Hash of the segment at ${offset} is not 32 hexadecimal digits`);
    }
    this.#covered = offset + length;
  }

  end(list: BlobListHead): ReadBlob {
    const { blobPath } = this;
    const filePath = this.#filePath;
    const sizeBytes = this.#sizeBytes;
    if (blobPath === undefined) throw new BlobProblem("a blob has no BlobPath");
    if (filePath === undefined) throw new BlobProblem("it has no FilePath");
    if (sizeBytes === undefined) throw new BlobProblem("it has no Length");
    checkBlobPath(blobPath);
    const problem = findPathProblem(filePath);
    if (problem !== undefined) throw new BlobProblem(`its FilePath "${clip(filePath)}" cannot be used: ${problem}`);
    this.#checkSize(sizeBytes);
    return {
      blobPath,
      filePath,
      sizeBytes,
      blobType: this.#blobType ?? "block",
      isListed: this.#blobType !== undefined,
      list,
      segments: this.segments,
      ...this.#extra,
    };
  }

  #checkBlock(offset: number, id: string | undefined): void {
    const { segments } = this;
    if (offset !== this.#covered) throw new BlobProblem(`there is a gap before the block at ${offset}`);
    if (segments.count === MAX_BLOCK_COUNT) throw new BlobProblem(`it has over ${MAX_BLOCK_COUNT} blocks`);
    if ((id === undefined) !== (segments.ids.length === 0) && segments.count > 0) {
      throw new BlobProblem("some of its blocks have an Id and some have none");
    }
    if (id === undefined) return;
    if (id.length % 4 !== 0 || id.length > MAX_BLOCK_ID_UNITS || !BLOCK_ID.test(id))
      throw new BlobProblem(`"${clip(id)}" is no block id`);
    if (segments.count > 0 && segments.ids[0]?.length !== id.length) {
      throw new BlobProblem("its block ids differ in length");
    }
    segments.ids.push(id);
  }

  #checkSize(sizeBytes: number): void {
    if (this.#covered > sizeBytes) {
      throw new BlobProblem(`its segments reach to ${this.#covered}, beyond its length of ${sizeBytes}`);
    }
    if (this.#blobType === "block" && this.#covered !== sizeBytes) {
      throw new BlobProblem(`its blocks cover ${this.#covered} of ${sizeBytes} bytes`);
    }
    if (this.#blobType === "page" && sizeBytes % PAGE_BYTES !== 0) {
      throw new BlobProblem(`the length of a page blob, ${sizeBytes}, is no multiple of ${PAGE_BYTES}`);
    }
  }
}

/** A decimal number of bytes up to 2^53 - 1. */
export function parseSize(text: string, what: string): number {
  const value = /^[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw new BlobProblem(`${what} "${clip(text)}" is no number of bytes`);
  return value;
}

/** What goes into a message: short, on one line. */
export function clip(text: string): string {
  const line = JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}...` : text);
  return line.slice(1, -1).replaceAll("\\\\", "\\");
}

function checkBlobPath(path: string): void {
  const slash = path.indexOf("/");
  if (slash <= 0 || slash === path.length - 1) {
    throw new BlobProblem(`its BlobPath "${clip(path)}" is not of the form container/name`);
  }
  if (path.length > MAX_BLOB_PATH_UNITS) throw new BlobProblem("its BlobPath is longer than a blob's name may be");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not pass
  if (/[\x00-\x1f]/.test(path)) throw new BlobProblem("its BlobPath holds a control character");
}
