/**
 * The blobs that selectors choose, each once, in a stable order: selector by selector, containers and names as the
 * service lists them, a blob before its snapshots, these by time. Memory does not grow with the number of blobs.
 */
import type { BlobAccount, FoundBlob } from "./blob-account.ts";
import type { BlobSelector } from "./blob-list.ts";

export interface SelectedBlob {
  container: string;
  blob: FoundBlob;
}

export interface SelectionCounts {
  /** Selectors that are not the same as an earlier one. */
  unique: number;
  duplicate: number;
  /** Unique ones that choose nothing. */
  nonexistent: number;
}

export class BlobSelection {
  readonly counts: SelectionCounts;
  readonly #account: BlobAccount;
  readonly #selectors: readonly BlobSelector[];
  readonly #prefixes: readonly { index: number; selector: Extract<BlobSelector, { kind: "prefix" }> }[];
  readonly #blobs: ReadonlyMap<string, readonly number[]>;

  constructor(account: BlobAccount, selectors: readonly BlobSelector[]) {
    this.#account = account;
    const unique = new Map(selectors.map((selector) => [JSON.stringify(selector), selector]));
    this.#selectors = [...unique.values()];
    this.counts = { unique: unique.size, duplicate: selectors.length - unique.size, nonexistent: 0 };
    this.#prefixes = this.#selectors.flatMap((selector, index) =>
      selector.kind === "prefix" ? [{ index, selector }] : [],
    );
    this.#blobs = indexBlobs(this.#selectors);
  }

  /** `counts.nonexistent` is right when all were taken. */
  async *blobs(): AsyncIterable<SelectedBlob> {
    for (const [index, selector] of this.#selectors.entries()) {
      let isEmpty = true;
      const found = selector.kind === "blob" ? this.#oneBlob(selector) : this.#prefix(selector);
      for await (const selected of found) {
        isEmpty = false;
        if (!this.#isChosenBefore(index, selected)) yield selected;
      }
      if (isEmpty) this.counts.nonexistent += 1;
    }
  }

  async *#oneBlob(selector: Extract<BlobSelector, { kind: "blob" }>): AsyncIterable<SelectedBlob> {
    const { container, name, snapshots } = selector;
    const group: FoundBlob[] = [];
    // The name itself comes first of all that begin with it.
    for await (const blob of whereThere(this.#account.listBlobs(container, name, snapshots !== "none"))) {
      if (blob.name !== name) break;
      if (chooses(selector, blob)) group.push(blob);
    }
    yield* inOrder(container, group);
  }

  async *#prefix(selector: Extract<BlobSelector, { kind: "prefix" }>): AsyncIterable<SelectedBlob> {
    for await (const container of this.#containers(selector)) {
      let group: FoundBlob[] = [];
      for await (const blob of whereThere(this.#account.listBlobs(container, selector.namePrefix, true))) {
        if (group[0] !== undefined && group[0].name !== blob.name) {
          yield* inOrder(container, group);
          group = [];
        }
        group.push(blob);
      }
      yield* inOrder(container, group);
    }
  }

  async *#containers(selector: Extract<BlobSelector, { kind: "prefix" }>): AsyncIterable<string> {
    const { onlyContainer } = this.#account;
    if (selector.isWholeContainer) yield selector.container;
    else if (onlyContainer === undefined) yield* this.#account.listContainers(selector.container);
    else if (onlyContainer.startsWith(selector.container)) yield onlyContainer;
  }

  #isChosenBefore(index: number, { container, blob }: SelectedBlob): boolean {
    for (const prefix of this.#prefixes) {
      if (prefix.index >= index) break;
      if (prefixChooses(prefix.selector, container, blob)) return true;
    }
    const others = this.#blobs.get(`${container}/${blob.name}`) ?? [];
    return others.some((other) => {
      const selector = this.#selectors[other];
      return other < index && selector?.kind === "blob" && chooses(selector, blob);
    });
  }
}

function indexBlobs(selectors: readonly BlobSelector[]): Map<string, number[]> {
  const byPath = new Map<string, number[]>();
  for (const [index, selector] of selectors.entries()) {
    if (selector.kind !== "blob") continue;
    const path = `${selector.container}/${selector.name}`;
    const known = byPath.get(path);
    if (known === undefined) byPath.set(path, [index]);
    else known.push(index);
  }
  return byPath;
}

function chooses({ snapshots }: Extract<BlobSelector, { kind: "blob" }>, blob: FoundBlob): boolean {
  if (snapshots === "all") return true;
  return snapshots === "none" ? blob.snapshot === undefined : blob.snapshot === snapshots.time;
}

function prefixChooses(
  { container: wanted, isWholeContainer, namePrefix }: Extract<BlobSelector, { kind: "prefix" }>,
  container: string,
  blob: FoundBlob,
): boolean {
  if (!isWholeContainer) return container.startsWith(wanted);
  return container === wanted && blob.name.startsWith(namePrefix);
}

/** A container that is not there has no blobs. */
async function* whereThere(blobs: AsyncIterable<FoundBlob>): AsyncIterable<FoundBlob> {
  try {
    yield* blobs;
  } catch (error) {
    if ((error as { kind?: unknown }).kind !== "missing") throw error;
  }
}

function* inOrder(container: string, group: FoundBlob[]): Generator<SelectedBlob> {
  const time = ({ snapshot }: FoundBlob): string => snapshot ?? "";
  group.sort((a, b) => (time(a) < time(b) ? -1 : time(a) > time(b) ? 1 : 0));
  for (const blob of group) yield { container, blob };
}
