/** The threads: results equal to the functions they run, progress that never lies, failures and stops that leave nothing. */
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { RANGE_BYTES } from "../../src/bitlocker/convert-range.ts";
import { convertOnThreads, stretchOnThread } from "../../src/bitlocker/worker-threads.ts";
import { SectorCipher } from "../../src/bitlocker/xts.ts";
import { DATA_KEY_128, RECOVERY_KEY, SALT, STRETCHED } from "./vectors.ts";

const MIB = 1024 * 1024;
let directory: string;
let from: string;
let to: string;
const plain = Buffer.alloc(10 * MIB);

beforeEach(() => {
  directory = fs.mkdtempSync(join(tmpdir(), "waie-bitlocker-"));
  from = join(directory, "from");
  to = join(directory, "to");
  for (let at = 0; at < plain.length; at += 8) plain.writeDoubleLE(at, at);
  fs.writeFileSync(from, plain);
  fs.writeFileSync(to, "");
});
afterEach(() => fs.rmSync(directory, { recursive: true }));

const ranges = [
  { at: 0, bytes: RANGE_BYTES },
  { at: RANGE_BYTES, bytes: 512 },
  { at: 6 * MIB, bytes: RANGE_BYTES },
];
const job = { dataKey: DATA_KEY_128, ranges, onProgress: () => undefined };

test("a key is stretched on a thread", async () => {
  expect(await stretchOnThread(RECOVERY_KEY, SALT)).toEqual(STRETCHED);
});

describe("converting", () => {
  test("gives what the cipher gives, and nothing outside of the ranges", async () => {
    await convertOnThreads({ ...job, from, to, direction: "encrypt" });
    const expected = Buffer.alloc(plain.length);
    const cipher = new SectorCipher(DATA_KEY_128);
    for (const { at, bytes } of ranges) {
      const part = Buffer.from(plain.subarray(at, at + bytes));
      cipher.encrypt(part, at / 512);
      part.copy(expected, at);
    }
    expect(fs.readFileSync(to).equals(expected)).toBe(true);
    const back = join(directory, "back");
    fs.writeFileSync(back, "");
    await convertOnThreads({ ...job, from: to, to: back, direction: "decrypt" });
    const restored = fs.readFileSync(back);
    for (const { at, bytes } of ranges) {
      expect(restored.subarray(at, at + bytes).equals(plain.subarray(at, at + bytes))).toBe(true);
    }
  });

  test("what is reported as done is written", async () => {
    const many = Array.from({ length: 40 }, (_, i) => ({ at: i * 256 * 1024, bytes: 256 * 1024 }));
    const marks: number[] = [];
    await convertOnThreads({
      ...job,
      from,
      to,
      direction: "copy",
      ranges: many,
      onProgress: (doneBelow) => {
        marks.push(doneBelow);
        const written = fs.readFileSync(to);
        expect(written.subarray(0, doneBelow).equals(plain.subarray(0, doneBelow))).toBe(true);
      },
    });
    expect(marks).toEqual(marks.toSorted((a, b) => a - b));
    expect(fs.readFileSync(to).equals(plain)).toBe(true);
  });

  test("a target that cannot be written ends it with the system's error", async () => {
    const work = convertOnThreads({ ...job, from, to: "/dev/full", direction: "encrypt" });
    await expect(work).rejects.toMatchObject({ file: "to", errno: "ENOSPC", message: "no space left on the drive" });
  });

  test("no ranges is no work; a stop is answered with its reason; so is a failing report", async () => {
    await convertOnThreads({ ...job, from, to, direction: "encrypt", ranges: [] });
    expect(fs.readFileSync(to)).toHaveLength(0);
    const reason = new Error("enough");
    await expect(
      convertOnThreads({ ...job, from, to, direction: "encrypt", signal: AbortSignal.abort(reason) }),
    ).rejects.toBe(reason);
    const onProgress = (): never => {
      throw reason;
    };
    await expect(convertOnThreads({ ...job, from, to, direction: "encrypt", onProgress })).rejects.toBe(reason);
  });
});
