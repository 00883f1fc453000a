import fc from "fast-check";
import { expect, test } from "vitest";
import { chooseKernel, createHasher } from "../../src/copy/md5/md5-kernel.ts";
import { hashMessages, oracle } from "../copy/md5/hash-messages.ts";

const kernel = chooseKernel("simd");
/** A few lengths around block and chunk edges, else anything. */
const message = fc.oneof(
  fc.uint8Array({ minLength: 0, maxLength: 700 }),
  fc
    .constantFrom(0, 55, 56, 63, 64, 119, 120, 127, 128, 255, 256, 257, 512)
    .map((length) => new Uint8Array(length).fill(7)),
);

test("any set of messages, in chunks of any size, has the sums that createHash gives", () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 40 }), fc.integer({ min: 1, max: 8 }), (messages, blocks) => {
      const hasher = createHasher(kernel, { chunkBytes: 64 * blocks });
      expect(hashMessages(hasher, messages)).toEqual(messages.map(oracle));
    }),
    { numRuns: 150 },
  );
});
