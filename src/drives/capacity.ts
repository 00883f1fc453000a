/** What a plan may put on a drive and what it reckons a file to cost there. Read once, when planning. All in bytes. */
import type { Drive } from "./drive.ts";

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

/** Directory entry, file record and index share of one file or directory. */
export const ENTRY_COST_BYTES = 1024;
/** A blob in the manifest and the journal's bookkeeping of it. */
const BLOB_COST_BYTES = 400;
/** A segment's line in the manifest. */
const SEGMENT_COST_BYTES = 130;

export interface DrivePlanCapacity {
  capacityBytes: number;
  /** Index into `pools`: drives of one pool lie on one volume and share what it has free. */
  pool: number;
}

export interface CapacityPlan {
  /** In the order of the drives. */
  drives: readonly DrivePlanCapacity[];
  pools: readonly { volumeKey: string; capacityBytes: number }[];
}

/** Kept free on a volume for its own bookkeeping, the manifest's replacement and late surprises. */
export function reserveBytes(sizeBytes: number): number {
  return sizeBytes < GIB ? MIB : Math.max(64 * MIB, Math.ceil(sizeBytes * 0.0005));
}

/** What a plan may use of one drive; `capBytes` is the user's own limit for it. */
export function planCapacity(drive: Pick<Drive, "freeBytes" | "sizeBytes">, capBytes?: number): number {
  const available = Math.max(0, drive.freeBytes - reserveBytes(drive.sizeBytes));
  return capBytes === undefined ? available : Math.min(available, capBytes);
}

/** The same for all drives of a set. Their order decides the order of the pools. */
export function planCapacities(
  drives: readonly Pick<Drive, "freeBytes" | "sizeBytes" | "volumeKey">[],
  capBytesOf: (index: number) => number | undefined = () => undefined,
): CapacityPlan {
  const pools: { volumeKey: string; capacityBytes: number }[] = [];
  const poolByKey = new Map<string, number>();
  const planned = drives.map((drive, index) => {
    let pool = poolByKey.get(drive.volumeKey);
    if (pool === undefined) {
      pool = pools.push({ volumeKey: drive.volumeKey, capacityBytes: planCapacity(drive) }) - 1;
      poolByKey.set(drive.volumeKey, pool);
    }
    return { capacityBytes: planCapacity(drive, capBytesOf(index)), pool };
  });
  return { drives: planned, pools };
}

/** What a file takes on a drive, its share of the manifest included. */
export function fileCostBytes(sizeBytes: number, segments: number, clusterBytes: number): number {
  const dataBytes = Math.ceil(sizeBytes / clusterBytes) * clusterBytes;
  return dataBytes + ENTRY_COST_BYTES + BLOB_COST_BYTES + segments * SEGMENT_COST_BYTES;
}

/** What a directory takes. */
export function directoryCostBytes(): number {
  return ENTRY_COST_BYTES;
}
