import { createHash } from "node:crypto";
import type { LaneHasher } from "../../../src/copy/md5/lane-hasher.ts";

/** The sums of `messages` in upper- or lower-case as hex, computed as the copy loop does it: lanes refilled one by one. */
export function hashMessages(hasher: LaneHasher, messages: readonly Uint8Array[]): string[] {
  const sums: string[] = new Array(messages.length);
  const lanes: ({ index: number; done: number; isFed: boolean } | undefined)[] = new Array(hasher.laneCount);
  let next = 0;
  for (;;) {
    let busy = 0;
    for (let lane = 0; lane < hasher.laneCount; lane++) {
      if (!hasher.needsInput(lane)) {
        busy++;
        continue;
      }
      let own = lanes[lane];
      if (own?.isFed === true) {
        const sum = Buffer.alloc(20, 0xee);
        hasher.digest(lane, new DataView(sum.buffer, sum.byteOffset, sum.length), 2);
        if (sum[1] !== 0xee || sum[18] !== 0xee) throw new Error("digest wrote outside its place");
        sums[own.index] = sum.toString("hex", 2, 18);
        lanes[lane] = undefined;
        own = undefined;
      }
      if (own === undefined) {
        if (next === messages.length) continue;
        own = { index: next++, done: 0, isFed: false };
        lanes[lane] = own;
        hasher.start(lane);
      }
      const message = messages[own.index] as Uint8Array;
      const chunk = message.subarray(own.done, own.done + hasher.chunkBytes);
      hasher.memory.set(chunk, hasher.bufferOffset(lane));
      own.done += chunk.length;
      own.isFed = own.done === message.length;
      hasher.feed(lane, chunk.length, own.isFed);
      busy++;
    }
    if (busy === 0) return sums;
    hasher.advance();
  }
}

export function oracle(message: Uint8Array): string {
  return createHash("md5").update(message).digest("hex");
}

/** Bytes that differ everywhere but are the same in every run. */
export function patternBytes(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = (seed * 2_654_435_761 + 12_345) >>> 0;
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}
