/** Merges sorted streams with a binary heap: logarithmic in the number of streams, one head of each in memory. */

export interface MergedItem<T> {
  item: T;
  /** Which stream it came from, from 0. */
  stream: number;
}

/** Equal items come in the order of their streams. Streams are closed when the merge ends or is left. */
export function* mergeSorted<T>(
  streams: readonly Iterable<T>[],
  compare: (a: T, b: T) => number,
): Generator<MergedItem<T>, void, void> {
  const readers = streams.map((stream) => stream[Symbol.iterator]());
  try {
    const heap: MergedItem<T>[] = [];
    for (const [stream, reader] of readers.entries()) {
      const step = reader.next();
      if (step.done !== true) heap.push({ item: step.value, stream });
    }
    const order = (a: MergedItem<T>, b: MergedItem<T>): number => compare(a.item, b.item) || a.stream - b.stream;
    for (let at = (heap.length >> 1) - 1; at >= 0; at--) sink(heap, at, order);
    for (let top = heap[0]; top !== undefined; top = heap[0]) {
      yield top;
      const step = readers[top.stream]?.next();
      if (step !== undefined && step.done !== true) {
        heap[0] = { item: step.value, stream: top.stream };
      } else {
        const last = heap.pop();
        if (heap.length === 0 || last === undefined) return;
        heap[0] = last;
      }
      sink(heap, 0, order);
    }
  } finally {
    for (const reader of readers) reader.return?.();
  }
}

function sink<T>(heap: T[], from: number, order: (a: T, b: T) => number): void {
  let at = from;
  const moving = heap[at] as T;
  for (let child = 2 * at + 1; child < heap.length; child = 2 * at + 1) {
    const right = child + 1;
    if (right < heap.length && order(heap[right] as T, heap[child] as T) < 0) child = right;
    if (order(heap[child] as T, moving) >= 0) break;
    heap[at] = heap[child] as T;
    at = child;
  }
  heap[at] = moving;
}
