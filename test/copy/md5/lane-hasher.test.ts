import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, test } from "vitest";
import { chooseKernel, createHasher } from "../../../src/copy/md5/md5-kernel.ts";
import { hashMessages, oracle, patternBytes } from "./hash-messages.ts";

const MiB = 1024 * 1024;
/** RFC 1321, appendix A.5. */
const RFC_1321: readonly [string, string][] = [
  ["", "d41d8cd98f00b204e9800998ecf8427e"],
  ["a", "0cc175b9c0f1b6a831c399e269772661"],
  ["abc", "900150983cd24fb0d6963f7d28e17f72"],
  ["message digest", "f96b697d7cb7938d525a2f31aaf161d0"],
  ["abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"],
  ["ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "d174ab98d277d9f5a5611c2c9f419d9f"],
  ["1234567890".repeat(8), "57edf4a22be3c955ac49da2e2107b67a"],
];

describe.each(["simd", "crypto"] as const)("%s hasher", (kernel) => {
  const create = (chunkBytes = 65_536, pageAligned = false) =>
    createHasher(chooseKernel(kernel), { chunkBytes, pageAligned, scratchBytes: 4096 });

  const expectSums = (messages: readonly Uint8Array[], chunkBytes?: number) => {
    expect(hashMessages(create(chunkBytes), messages)).toEqual(messages.map(oracle));
  };

  it("gives the test vectors of RFC 1321", () => {
    const messages = RFC_1321.map(([text]) => Buffer.from(text, "latin1"));
    expect(hashMessages(create(), messages)).toEqual(RFC_1321.map(([, sum]) => sum));
  });

  it("gives the sum of every length from 0 to 300", () => {
    expectSums(Array.from({ length: 301 }, (_, length) => patternBytes(length, length)));
  });

  it("gives the sum of lengths around a segment of 4 MiB", () => {
    expectSums([0, -1, 1, 55, 56, 64].map((more) => patternBytes(4 * MiB + more)));
  });

  it("gives the sum of lengths around one and two chunks", () => {
    const around = (bytes: number) => [-65, -64, -9, -8, -1, 0, 1, 55, 56, 63, 64, 65].map((more) => bytes + more);
    expectSums(
      [...around(4096), ...around(8192)].map((length) => patternBytes(length, length)),
      4096,
    );
  });

  it("keeps long, short and empty messages in lanes side by side apart", () => {
    const lengths = [3 * MiB, 0, 1, 70_000, 65_536, 64, 63, 131_072, 5, 0, 900_000, 56, 55, 1, 200_000, 0, 65_537];
    expectSums(lengths.map((length, index) => patternBytes(length, index)));
  });

  it("hashes one message as it hashes twelve", () => {
    expectSums([patternBytes(123_457)]);
  });

  it("can be used again, with lanes given up in the middle", () => {
    const hasher = create(4096);
    for (let lane = 0; lane < hasher.laneCount; lane++) {
      hasher.start(lane);
      hasher.feed(lane, 4096, false);
    }
    hasher.advance();
    const messages = [patternBytes(10_000), patternBytes(3)];
    expect(hashMessages(hasher, messages)).toEqual(messages.map(oracle));
  });

  it("keeps its buffers on pages when asked, apart from each other and from the scratch room", () => {
    const hasher = create(65_536, true);
    for (let lane = 0; lane < hasher.laneCount; lane++) expect(hasher.bufferOffset(lane) % 4096).toBe(0);
    expect(hasher.scratchOffset % 4096).toBe(0);
    expect(hasher.bufferOffset(1) - hasher.bufferOffset(0)).toBeGreaterThanOrEqual(hasher.chunkBytes);
    const end = hasher.bufferOffset(hasher.laneCount - 1) + hasher.chunkBytes;
    expect(hasher.scratchOffset).toBeGreaterThanOrEqual(end);
    expect(hasher.memory.length).toBeGreaterThanOrEqual(hasher.scratchOffset + 4096);
  });
});

describe("choice of the kernel", () => {
  it("takes SIMD where it runs, and createHash when asked", () => {
    expect(chooseKernel("auto").name).toBe("simd");
    expect(chooseKernel("crypto")).toEqual({ name: "crypto" });
  });
});

const hashdeep = ["/usr/bin/hashdeep", "/usr/local/bin/hashdeep", "/opt/homebrew/bin/hashdeep"].find(existsSync);

test.skipIf(hashdeep === undefined)("agrees with hashdeep -p 4m on each piece (needs hashdeep)", () => {
  const directory = mkdtempSync(join(tmpdir(), "copy-hashdeep-"));
  try {
    const file = join(directory, "data");
    const content = patternBytes(13 * MiB + 77);
    writeFileSync(file, content);
    const output = execFileSync(hashdeep as string, ["-c", "md5", "-p", "4m", file], { encoding: "utf8" });
    const theirs = output.match(/\b[0-9a-f]{32}\b/g);
    const pieces = [0, 4, 8, 12].map((start) => content.subarray(start * MiB, (start + 4) * MiB));
    const hasher = createHasher(chooseKernel("simd"), { chunkBytes: 65_536 });
    expect(hashMessages(hasher, pieces)).toEqual(theirs);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
