/**
 * Metadata and properties of a blob from the files that the manifest names: those of its list, overridden name by name by
 * its own. A file that cannot be used gets its status; the values of the other one still count.
 */
import { createHash } from "node:crypto";
import type { BlobMetadata, BlobProperties } from "../blobs/blob-account.ts";
import { MAX_SIDE_FILE_BYTES, parseSideFile, type SideFileEntries, type SideFileKind } from "../blobs/side-file.ts";
import type { SideStatus } from "../copy-log/status-codes.ts";
import { type SideFile, toBase16 } from "../manifest/manifest-model.ts";
import { InputError } from "../platform/app-error.ts";
import type { BlobWork } from "./blob-work.ts";
import type { DriveSource } from "./drive-source.ts";

/** Lists share their file, so a few are enough. */
const MAX_KNOWN_FILES = 64;

export interface SideValues {
  metadata: BlobMetadata;
  properties: BlobProperties;
  /** Undefined: the manifest names no file. */
  metadataStatus: SideStatus | undefined;
  propertiesStatus: SideStatus | undefined;
}

type Loaded = { status: SideStatus; entries: SideFileEntries };

export class SideValueReader {
  readonly #source: DriveSource;
  readonly #known = new Map<string, Loaded>();

  constructor(source: DriveSource) {
    this.#source = source;
  }

  read(work: BlobWork): SideValues {
    const metadata = this.#merge("metadata", work.globalMetadata, work.metadata);
    const properties = this.#merge("properties", work.globalProperties, work.properties);
    return {
      // Blanks around a value are dropped on the way to the service.
      metadata: Object.fromEntries([...metadata.entries].map(([name, value]) => [name, value.trim()])),
      properties: toProperties(properties.entries),
      metadataStatus: metadata.status,
      propertiesStatus: properties.status,
    };
  }

  #merge(
    kind: SideFileKind,
    global: SideFile | undefined,
    own: SideFile | undefined,
  ): { status: SideStatus | undefined; entries: Iterable<readonly [string, string]> } {
    const loaded = [global, own].flatMap((file) => (file === undefined ? [] : [this.#load(kind, file)]));
    const byName = new Map<string, readonly [string, string]>();
    for (const { entries } of loaded) for (const entry of entries) byName.set(entry[0].toLowerCase(), entry);
    const failed = loaded.find(({ status }) => status !== "Completed");
    return { status: failed?.status ?? loaded[0]?.status, entries: byName.values() };
  }

  #load(kind: SideFileKind, file: SideFile): Loaded {
    const key = `${kind} ${file.hash} ${file.path}`;
    let loaded = this.#known.get(key);
    if (loaded === undefined) {
      loaded = this.#readFile(kind, file);
      if (this.#known.size >= MAX_KNOWN_FILES) this.#known.clear();
      this.#known.set(key, loaded);
    }
    return loaded;
  }

  #readFile(kind: SideFileKind, { path, hash }: SideFile): Loaded {
    const bytes = this.#source.readSmall(path, MAX_SIDE_FILE_BYTES);
    if (typeof bytes === "string") return { status: bytes, entries: [] };
    if (toBase16(createHash("md5").update(bytes).digest()) !== hash) return { status: "Corrupted", entries: [] };
    try {
      return { status: "Completed", entries: parseSideFile(kind, bytes, path, { allowExportOnly: true }) };
    } catch (error) {
      if (error instanceof InputError) return { status: "XmlReadFailed", entries: [] };
      throw error;
    }
  }
}

const BY_ELEMENT: ReadonlyMap<string, Exclude<keyof BlobProperties, "contentMd5">> = new Map([
  ["Content-Type", "contentType"],
  ["Content-Encoding", "contentEncoding"],
  ["Content-Language", "contentLanguage"],
  ["Cache-Control", "cacheControl"],
]);

function toProperties(entries: Iterable<readonly [string, string]>): BlobProperties {
  const properties: BlobProperties = {};
  for (const [name, value] of entries) {
    const field = BY_ELEMENT.get(name);
    if (field !== undefined) properties[field] = value.trim();
    else if (name === "Content-MD5") properties.contentMd5 = Buffer.from(value.trim(), "base64");
  }
  return properties;
}
