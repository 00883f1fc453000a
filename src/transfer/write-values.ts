/**
 * Metadata and properties travel with the request that makes the blob. When the service refuses one of their values,
 * the blob is made without them, and the log tells of each.
 */
import { type BlobMetadata, type BlobProperties, type BlobValues, isBlobRequestError } from "../blobs/blob-account.ts";
import type { SideStatus } from "../copy-log/status-codes.ts";
import type { SideValues } from "./side-values.ts";

export interface WrittenSides {
  metadata?: SideStatus;
  properties?: SideStatus;
}

/** `write` may be called up to four times; errors that no value is the cause of pass through. */
export async function writeValues(
  sides: SideValues,
  extraMetadata: BlobMetadata,
  write: (values: BlobValues) => Promise<void>,
): Promise<WrittenSides> {
  const { metadata, properties } = sides;
  const attempts: readonly [BlobMetadata, BlobProperties][] = [
    [metadata, properties],
    [metadata, {}],
    [{}, properties],
    [{}, {}],
  ];
  for (const [attempt, [ownMetadata, ownProperties]] of attempts.entries()) {
    try {
      await write({ metadata: { ...ownMetadata, ...extraMetadata }, properties: ownProperties });
      return toWrittenSides(sides, ownMetadata === metadata, ownProperties === properties);
    } catch (error) {
      if (attempt === attempts.length - 1 || !isBlobRequestError(error, "invalid-value")) throw error;
    }
  }
  return {};
}

/** The status of reading the files, unless writing failed. */
export function toWrittenSides(sides: SideValues, metadataIsSet: boolean, propertiesAreSet: boolean): WrittenSides {
  const status = (read: SideStatus | undefined, isSet: boolean): SideStatus | undefined =>
    read === "Completed" && !isSet ? "BlobRequestFailed" : read;
  const metadata = status(sides.metadataStatus, metadataIsSet);
  const properties = status(sides.propertiesStatus, propertiesAreSet);
  return {
    ...(metadata === undefined ? {} : { metadata }),
    ...(properties === undefined ? {} : { properties }),
  };
}
