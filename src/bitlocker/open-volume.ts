/**
 * Opens a volume with its recovery password: header, the first good copy of the metadata, then key by key down to the
 * data key. Everything that is decrypted on the way is zeroed again.
 */
import { createHash } from "node:crypto";
import { DatumType, KeyMethod, parseKey } from "./datum.ts";
import { BitLockerFormatError } from "./format-error.ts";
import { type Metadata, Protection, parseMetadataBlock } from "./metadata-block.ts";
import { keyToBytes } from "./recovery-password.ts";
import { openDatum } from "./sealed-datum.ts";
import { parseVolumeHeader } from "./volume-header.ts";
import { METADATA_BYTES, SECTOR_BYTES, type VolumeLayout } from "./volume-layout.ts";

/** Bytes of a volume as they lie on the medium; shorter at its end. */
export type ReadAt = (at: number, bytes: number) => Buffer;

/** `stretchKey`, on a thread of its own. */
export type Stretch = (recoveryKey: Buffer, salt: Buffer) => Promise<Buffer>;

export interface OpenedVolume {
  layout: VolumeLayout;
  method: "XTS-AES-128" | "XTS-AES-256";
  description: string;
  /** Secret; the caller zeroes it. */
  dataKey: Buffer;
}

const METHOD_NAMES: ReadonlyMap<number, OpenedVolume["method"]> = new Map([
  [KeyMethod.Xts128, "XTS-AES-128"],
  [KeyMethod.Xts256, "XTS-AES-256"],
]);

/** The metadata of a volume, without a key. `sizeBytes`: what the medium holds. */
export function readMetadata(read: ReadAt, sizeBytes: number): Metadata {
  const header = parseVolumeHeader(read(0, SECTOR_BYTES), sizeBytes);
  let problem: unknown;
  for (const at of header.metadataAt) {
    try {
      const metadata = parseMetadataBlock(read(at, METADATA_BYTES));
      if (metadata.layout.sizeBytes <= sizeBytes) return metadata;
      problem = new BitLockerFormatError("damaged", "it ends before the volume does");
    } catch (error) {
      problem = error;
    }
  }
  throw problem;
}

export async function openVolume(
  read: ReadAt,
  sizeBytes: number,
  password: string,
  stretch: Stretch,
): Promise<OpenedVolume> {
  const metadata = readMetadata(read, sizeBytes);
  const recoveryKey = keyToBytes(password);
  try {
    return await openMetadata(metadata, recoveryKey, stretch);
  } finally {
    recoveryKey.fill(0);
  }
}

export async function openMetadata(metadata: Metadata, recoveryKey: Buffer, stretch: Stretch): Promise<OpenedVolume> {
  const method = METHOD_NAMES.get(metadata.method);
  if (method === undefined) {
    const code = `0x${metadata.method.toString(16)}`;
    throw new BitLockerFormatError("unsupported", `it is not encrypted with XTS-AES but with method ${code}`);
  }
  const masterKey = await openMasterKey(metadata, recoveryKey, stretch);
  try {
    checkHash(metadata, masterKey);
    const dataKey = openKey(metadata.dataKey, masterKey, metadata.method);
    if (dataKey.length === (metadata.method === KeyMethod.Xts128 ? 32 : 64)) {
      return { layout: metadata.layout, method, description: metadata.description, dataKey };
    }
    dataKey.fill(0);
    throw new BitLockerFormatError("damaged", "its data key has a wrong length");
  } finally {
    masterKey.fill(0);
  }
}

/** Tries every recovery password that the volume has: it may have several. */
async function openMasterKey(metadata: Metadata, recoveryKey: Buffer, stretch: Stretch): Promise<Buffer> {
  const protectors = metadata.protectors.filter(({ protection }) => protection === Protection.RecoveryPassword);
  if (protectors.length === 0) {
    throw new BitLockerFormatError("unsupported", "it cannot be opened by a recovery password");
  }
  for (const { entries } of protectors) {
    const salt = entries.find((entry) => entry.type === DatumType.StretchKey)?.data.subarray(4, 20);
    const sealed = entries.find((entry) => entry.type === DatumType.Sealed);
    if (salt === undefined || salt.length !== 16 || sealed === undefined) continue;
    const stretched = await stretch(recoveryKey, Buffer.from(salt));
    try {
      return openKey(sealed.data, stretched, KeyMethod.VolumeMasterKey);
    } catch (error) {
      if (!(error instanceof BitLockerFormatError) || error.problem !== "wrong-key") throw error;
    } finally {
      stretched.fill(0);
    }
  }
  throw new BitLockerFormatError("wrong-key", "the key does not open it");
}

/** A copy of the key inside; the decrypted datum itself is zeroed. */
function openKey(sealed: Buffer, key: Buffer, expected: number): Buffer {
  const plain = openDatum(sealed, key);
  try {
    const inner = parseKey(plain);
    if (inner.method !== expected) throw new BitLockerFormatError("damaged", "a key in it is of a wrong kind");
    return Buffer.from(inner.key);
  } finally {
    plain.fill(0);
  }
}

/** Only who has the master key can make this hash: metadata that somebody changed is found here. */
function checkHash(metadata: Metadata, masterKey: Buffer): void {
  const { info, sealedHash } = metadata;
  if (sealedHash === undefined) throw new BitLockerFormatError("damaged", "the hash of its metadata is missing");
  let hash: Buffer;
  try {
    hash = openKey(sealedHash, masterKey, KeyMethod.MetadataHash);
  } catch {
    throw new BitLockerFormatError("damaged", "the hash of its metadata cannot be opened");
  }
  if (!hash.equals(createHash("sha256").update(info).digest())) {
    throw new BitLockerFormatError("damaged", "its metadata was changed");
  }
}
