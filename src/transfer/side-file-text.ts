/** The properties and metadata files that an export writes beside a blob's file. */
import type { BlobMetadata, BlobProperties } from "../blobs/blob-account.ts";

export interface ExportedFacts {
  sizeBytes: number;
  etag: string;
  /** ISO 8601 UTC. */
  lastModified: string;
  properties: BlobProperties;
}

/** Undefined when a value cannot be carried by XML. */
export function propertiesText({ sizeBytes, etag, lastModified, properties }: ExportedFacts): string | undefined {
  const { contentType, contentMd5, contentEncoding, contentLanguage, cacheControl } = properties;
  return document("Properties", [
    ["Last-Modified", lastModified === "" ? undefined : new Date(lastModified).toUTCString()],
    ["Etag", etag === "" ? undefined : etag],
    ["Content-Length", String(sizeBytes)],
    ["Content-Type", contentType],
    ["Content-MD5", contentMd5 === undefined ? undefined : Buffer.from(contentMd5).toString("base64")],
    ["Content-Encoding", contentEncoding],
    ["Content-Language", contentLanguage],
    ["Cache-Control", cacheControl],
  ]);
}

export function metadataText(metadata: BlobMetadata): string | undefined {
  return document("Metadata", Object.entries(metadata));
}

function document(root: string, values: readonly (readonly [string, string | undefined])[]): string | undefined {
  let text = `<?xml version="1.0" encoding="UTF-8"?>\n<${root}>\n`;
  for (const [name, value] of values) {
    if (value === undefined) continue;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what XML cannot carry
    if (/[\x00-\x1f\ufffe\uffff]|\p{Cs}/u.test(value) || !/^[A-Za-z_][A-Za-z0-9_.-]*$/.test(name)) return undefined;
    const escaped = value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
    text += `  <${name}>${escaped}</${name}>\n`;
  }
  return `${text}</${root}>\n`;
}
