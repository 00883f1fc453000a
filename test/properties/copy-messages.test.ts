import fc from "fast-check";
import { expect, test } from "vitest";
import type { FileResult, NotDoneCode } from "../../src/copy/copy-contract.ts";
import { FileResultWriter, readFileResults } from "../../src/copy/file-results.ts";

const position = fc.integer({ min: 0, max: 0xffff_ffff });
const sizeBytes = fc.integer({ min: 0, max: 2 ** 50 });
const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 300 });
const code = fc.constantFrom<NotDoneCode>("FILE_UNREADABLE", "FILE_VANISHED", "FILE_CHANGED", "FILE_GREW");
const digest = fc.uint8Array({ minLength: 16, maxLength: 16 });

const done = fc
  .record({
    position,
    sizeBytes,
    mtimeNs: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    digests: fc.array(digest, { maxLength: 30 }).map((list) => Uint8Array.from(list.flatMap((one) => [...one]))),
    elapsedMs: fc.double({ min: 0, max: 1e9, noNaN: true }),
    contentMd5: fc.option(digest, { nil: undefined }),
    sourcePath: fc.option(text, { nil: undefined }),
  })
  .map(({ contentMd5, sourcePath, ...file }) => ({
    ...file,
    outcome: "done" as const,
    ...(contentMd5 === undefined ? {} : { contentMd5 }),
    ...(sourcePath === undefined ? {} : { sourcePath }),
  }));
const notDone = fc.record({
  outcome: fc.constant("not-done" as const),
  position,
  code,
  reason: text,
  sourcePath: text,
});
const grew = fc.record({ outcome: fc.constant("grew" as const), position, sizeBytes });

test("results are read as they were written", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(done, notDone, grew), { maxLength: 60 }), (results) => {
      const writer = new FileResultWriter();
      for (const result of results) {
        if (result.outcome === "done") writer.done(result);
        else if (result.outcome === "not-done") writer.notDone(result);
        else writer.grew(result.position, result.sizeBytes);
      }
      expect(readFileResults(writer.take()) as FileResult[]).toEqual(results);
    }),
  );
});
