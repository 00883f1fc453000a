/**
 * Which file goes onto which drive. Pure: no files, no clock; the same input always gives the same answer.
 *
 * Files come in batches of at most 100,000 in walk order. `fill` uses as few drives as possible: a batch that fits on a
 * drive already in use goes there whole; otherwise folder by folder, each kept together where it fits (tightest fit
 * first), and only a folder that fits nowhere is taken apart, file by file. `spread` keeps all drives equally full.
 */

/** Largest number of files that are distributed at once: the original's own figure. */
export const MAX_BATCH_FILES = 100_000;

export const UNPLACED = -1;

export interface DriveCapacity {
  /** What the plan may take on this drive. */
  capacityBytes: number;
  /** Drives with the same pool lie on one volume and share what it has free. */
  pool: number;
}

export interface PoolCapacity {
  capacityBytes: number;
}

export interface Batch {
  count: number;
  /** Cost by file: data rounded up to clusters, directory entry, share of the manifest. */
  costs: Float64Array;
  /** Folder by file: numbers from 0, in order of first appearance. */
  folders(): { ids: Int32Array; count: number; costBytes(folder: number): number };
}

export class Distributor {
  readonly #drives: readonly DriveCapacity[];
  readonly #used: Float64Array;
  readonly #poolFree: Float64Array;
  readonly #mode: "fill" | "spread";

  constructor(drives: readonly DriveCapacity[], pools: readonly PoolCapacity[], mode: "fill" | "spread") {
    this.#drives = drives;
    this.#mode = mode;
    this.#used = new Float64Array(drives.length);
    this.#poolFree = Float64Array.from(pools, (pool) => pool.capacityBytes);
  }

  usedBytes(drive: number): number {
    return this.#used[drive] as number;
  }

  remainingBytes(drive: number): number {
    const { capacityBytes, pool } = this.#drives[drive] as DriveCapacity;
    return Math.min(capacityBytes - (this.#used[drive] as number), this.#poolFree[pool] as number);
  }

  /** The drive of every file of the batch, `UNPLACED` where none has room. */
  assign(batch: Batch): Int16Array {
    const assigned = new Int16Array(batch.count).fill(UNPLACED);
    if (this.#drives.length === 0) return assigned;
    let total = 0;
    for (let i = 0; i < batch.count; i++) total += batch.costs[i] as number;
    const whole = this.#mode === "fill" ? this.#chooseForFill(total) : UNPLACED;
    if (whole !== UNPLACED) {
      this.#take(whole, total);
      return assigned.fill(whole);
    }
    this.#assignByFolder(batch, total, assigned);
    return assigned;
  }

  #assignByFolder(batch: Batch, totalBytes: number, assigned: Int16Array): void {
    const folders = batch.folders();
    const sizes = new Float64Array(folders.count);
    for (let i = 0; i < batch.count; i++) {
      const folder = folders.ids[i] as number;
      sizes[folder] = (sizes[folder] as number) + (batch.costs[i] as number);
    }
    // Spreading keeps a folder together only while it is no more than one drive's fair share of the batch.
    const largestWhole = this.#mode === "spread" ? totalBytes / this.#drives.length : Number.POSITIVE_INFINITY;
    const driveOfFolder = new Int16Array(folders.count).fill(UNPLACED);
    for (let folder = 0; folder < folders.count; folder++) {
      const cost = (sizes[folder] as number) + folders.costBytes(folder);
      const drive = cost > largestWhole ? UNPLACED : this.#choose(cost);
      driveOfFolder[folder] = drive;
      if (drive !== UNPLACED) this.#take(drive, cost);
    }
    for (let i = 0; i < batch.count; i++) {
      const folder = folders.ids[i] as number;
      const whole = driveOfFolder[folder] as number;
      assigned[i] =
        whole !== UNPLACED ? whole : this.#assignFile((batch.costs[i] as number) + folders.costBytes(folder));
    }
  }

  #assignFile(cost: number): number {
    const drive = this.#choose(cost);
    if (drive !== UNPLACED) this.#take(drive, cost);
    return drive;
  }

  #choose(cost: number): number {
    if (this.#mode === "spread") return this.#chooseForSpread(cost);
    const inUse = this.#chooseForFill(cost);
    return inUse !== UNPLACED ? inUse : this.#largestUnused(cost);
  }

  /** The fullest drive in use that still takes it; a first drive when none is in use yet. */
  #chooseForFill(cost: number): number {
    let best = UNPLACED;
    let anyInUse = false;
    for (let d = 0; d < this.#drives.length; d++) {
      if (this.#used[d] === 0) continue;
      anyInUse = true;
      const left = this.remainingBytes(d);
      if (left >= cost && (best === UNPLACED || left < this.remainingBytes(best))) best = d;
    }
    return anyInUse ? best : this.#largestUnused(cost);
  }

  #largestUnused(cost: number): number {
    let best = UNPLACED;
    for (let d = 0; d < this.#drives.length; d++) {
      if (this.#used[d] !== 0) continue;
      const left = this.remainingBytes(d);
      if (left >= cost && (best === UNPLACED || left > this.remainingBytes(best))) best = d;
    }
    return best;
  }

  /** The drive that is least full in proportion, of those that take it. */
  #chooseForSpread(cost: number): number {
    let best = UNPLACED;
    let bestShare = Number.POSITIVE_INFINITY;
    for (let d = 0; d < this.#drives.length; d++) {
      if (this.remainingBytes(d) < cost) continue;
      const share = (this.#used[d] as number) / (this.#drives[d] as DriveCapacity).capacityBytes;
      if (share < bestShare) {
        best = d;
        bestShare = share;
      }
    }
    return best;
  }

  #take(drive: number, bytes: number): void {
    this.#used[drive] = (this.#used[drive] as number) + bytes;
    const pool = (this.#drives[drive] as DriveCapacity).pool;
    this.#poolFree[pool] = (this.#poolFree[pool] as number) - bytes;
  }
}

/**
 * How many more drives of `capacityBytes` the rest would take, filled one after the other: an upper bound that needs
 * no memory. A file that is larger than a whole drive never fits; it is counted apart.
 */
export class RestCounter {
  readonly #capacityBytes: number;
  #left = 0;
  drives = 0;
  tooLargeFiles = 0;

  constructor(capacityBytes: number) {
    this.#capacityBytes = capacityBytes;
  }

  add(costBytes: number): void {
    if (costBytes > this.#capacityBytes) {
      this.tooLargeFiles += 1;
      return;
    }
    if (costBytes > this.#left) {
      this.drives += 1;
      this.#left = this.#capacityBytes;
    }
    this.#left -= costBytes;
  }
}
