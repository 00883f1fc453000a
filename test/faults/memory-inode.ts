/**
 * What the file system in memory is made of: inodes with two states, what is visible now and what would still be there
 * after a power cut, and volumes with a capacity. The model is described in docs/guarantees.md, "What is modelled".
 */
export const PAGE_BYTES = 4096;
export const SECTOR_BYTES = 512;

export type InodeKind = "file" | "directory" | "link";

/** Pages as a write left them; `offset` is a multiple of the page size. */
interface PageWrite {
  offset: number;
  bytes: Buffer;
}

interface Content {
  bytes: Buffer;
  sizeBytes: number;
}

/** One change of names that happens whole or not at all: a rename has two parts. */
export interface NameChange {
  parts: readonly { directory: Inode; name: string; inode: Inode | undefined }[];
}

export interface Volume {
  device: bigint;
  sizeBytes: number;
  usedBytes: number;
  /** Changes of names since the last flush, in order. */
  pendingNames: NameChange[];
  root: Inode;
}

export class Inode {
  mtimeNs = 0n;
  mode: number;
  /** Names that lead here, and open handles: at 0 its room is free. */
  references = 0;
  readonly entries = new Map<string, Inode>();
  durableEntries = new Map<string, Inode>();
  parent: Inode | undefined;
  /** Root of the volume mounted here. */
  mounted: Inode | undefined;
  /** Of a link. */
  target = "";
  sizeBytes = 0;
  #bytes: Buffer = Buffer.alloc(0);
  /** Somebody else reads `#bytes` too: copied before the next write. */
  #isShared = false;
  #durable: Content = { bytes: Buffer.alloc(0), sizeBytes: 0 };
  #writes: PageWrite[] = [];
  /** Lengths since the last fsync; any of them may be the one that reached the disk. */
  #lengths: number[] = [];

  constructor(
    readonly id: bigint,
    readonly kind: InodeKind,
    readonly volume: Volume,
    mode: number,
  ) {
    this.mode = mode;
  }

  /** The content; not to be changed. */
  content(): Buffer {
    return this.#bytes.subarray(0, this.sizeBytes);
  }

  durableContent(): Buffer {
    return this.#durable.bytes.subarray(0, this.#durable.sizeBytes);
  }

  get isDirty(): boolean {
    return this.#writes.length > 0 || this.#lengths.length > 0;
  }

  write(source: Uint8Array, position: number): void {
    const end = position + source.length;
    this.#makeRoom(Math.max(end, this.sizeBytes));
    if (position > this.sizeBytes) this.#bytes.fill(0, this.sizeBytes, position);
    this.#bytes.set(source, position);
    if (end > this.sizeBytes) this.#setLength(end);
    const first = position - (position % PAGE_BYTES);
    const last = Math.min(Math.ceil(end / PAGE_BYTES) * PAGE_BYTES, this.#bytes.length);
    this.#writes.push({ offset: first, bytes: Buffer.from(this.#bytes.subarray(first, last)) });
  }

  truncate(length: number): void {
    this.#makeRoom(Math.max(length, this.sizeBytes));
    if (length < this.sizeBytes) this.#bytes.fill(0, length, this.sizeBytes);
    else this.#bytes.fill(0, this.sizeBytes, length);
    this.#setLength(length);
  }

  /** fsync of a file: what is visible is what survives. */
  makeContentDurable(): void {
    if (!this.isDirty) return;
    this.#isShared = true;
    this.#durable = { bytes: this.#bytes, sizeBytes: this.sizeBytes };
    this.#writes = [];
    this.#lengths = [];
  }

  /**
   * What a power cut may leave of the content: one of the lengths it had since the last fsync, and of every page one of
   * the versions it had, now and then torn between two at a sector. A page within the length that was never written is
   * zeros.
   */
  contentAfterPowerCut(random: () => number): Buffer {
    if (!this.isDirty) return this.durableContent();
    const lengths = [this.#durable.sizeBytes, ...this.#lengths];
    const length = lengths[Math.floor(random() * lengths.length)] as number;
    const result = Buffer.alloc(Math.ceil(Math.max(length, this.sizeBytes) / PAGE_BYTES) * PAGE_BYTES);
    this.durableContent().copy(result, 0, 0, Math.min(this.#durable.sizeBytes, result.length));
    // What a truncation cut off does not come back when the file grows again.
    const shortest = Math.min(...lengths);
    if (shortest < this.#durable.sizeBytes && random() < 0.5) result.fill(0, shortest);
    for (const { offset, bytes } of this.#writes) {
      for (let at = 0; at < bytes.length; at += PAGE_BYTES) {
        if (random() < 0.5) continue;
        const kept = random() < 0.1 ? SECTOR_BYTES * Math.floor(random() * 8) : PAGE_BYTES;
        bytes.copy(result, offset + at, at, Math.min(at + kept, bytes.length));
      }
    }
    return result.subarray(0, length);
  }

  /** Takes a content over as if it had been there for ever, without copying it. */
  adopt(bytes: Buffer): void {
    this.#bytes = bytes;
    this.#isShared = true;
    this.sizeBytes = bytes.length;
    this.#durable = { bytes, sizeBytes: bytes.length };
    this.#writes = [];
    this.#lengths = [];
  }

  /** The content for somebody else to keep: it is copied before the next write here. */
  share(): Buffer {
    this.#isShared = true;
    return this.content();
  }

  #setLength(length: number): void {
    this.sizeBytes = length;
    this.#lengths.push(length);
  }

  #makeRoom(length: number): void {
    const pages = Math.ceil(length / PAGE_BYTES) * PAGE_BYTES;
    if (!this.#isShared && pages <= this.#bytes.length) return;
    const larger = Buffer.alloc(
      pages <= this.#bytes.length ? this.#bytes.length : Math.max(pages, 2 * this.#bytes.length),
    );
    this.#bytes.copy(larger, 0, 0, this.sizeBytes);
    this.#bytes = larger;
    this.#isShared = false;
  }
}

/** What an inode takes of its volume. */
export function roomOf(inode: Inode, sizeBytes = inode.sizeBytes): number {
  return inode.kind === "file" ? Math.ceil(sizeBytes / PAGE_BYTES) * PAGE_BYTES : PAGE_BYTES;
}

/** Makes all changes of names in `directory` durable, and those before them on the same names. */
export function makeNamesDurable(directory: Inode): void {
  const { volume } = directory;
  const needed = new Set<NameChange>();
  for (const change of volume.pendingNames.toReversed()) {
    const isNeeded =
      change.parts.some((part) => part.directory === directory) ||
      [...needed].some((later) => later.parts.some((a) => change.parts.some((b) => isSameName(a, b))));
    if (isNeeded) needed.add(change);
  }
  for (const change of volume.pendingNames) if (needed.has(change)) applyDurably(change);
  volume.pendingNames = volume.pendingNames.filter((change) => !needed.has(change));
}

function isSameName(a: NameChange["parts"][number], b: NameChange["parts"][number]): boolean {
  return a.directory === b.directory && a.name === b.name;
}

export function applyDurably(change: NameChange): void {
  for (const { directory, name, inode } of change.parts) {
    if (inode === undefined) directory.durableEntries.delete(name);
    else directory.durableEntries.set(name, inode);
  }
}
