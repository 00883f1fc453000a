/** Bulk XTS against published vectors and against Node's own XTS, sector by sector. */
import { createCipheriv, createHash } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SectorCipher } from "../../src/bitlocker/xts.ts";
import { DATA_KEY_128, DATA_KEY_256 } from "./vectors.ts";

const PLAIN = Buffer.from(Array.from({ length: 512 }, (_, i) => i % 256));

describe("published vectors", () => {
  test.each([
    [
      128,
      1,
      "f0a66aac801bedf8dd3c1cf162dc6efcdf57a2bf0edbf430dd14e784174767c5",
      "fccb955f59591adac1a6f1b791bfa027a2035c444290294d23edd1aa4300b29e",
    ],
    [
      128,
      99136,
      "0f9d7495431adb78787657149b85469775d64823ede1bf6e49c51c2b896f5176",
      "4da64aa8c2bd9e9eeaeec8e34cd5a3df2d8f0a8546106aed44fdb95030931843",
    ],
    [
      128,
      8589934592,
      "bb33bd6b4f9ad53552667a6590137b70f7ff36a3d34ed78be9e897d179f95a0b",
      "0554c6d252427f56e079a88b2e1a56817b599ea99641be3aae6a05abb0414972",
    ],
    [
      256,
      1,
      "81d0a5184939ad9b97ac0677a1b277eecb6158ec4bdd56898c8d4754a44f4720",
      "a8107fba1d1f543feb9632805e124e36ec5a987ed57edca2679312e76ef2f79d",
    ],
  ])("XTS-%i, sector %i", (bits, sector, start, hash) => {
    const cipher = new SectorCipher(bits === 128 ? DATA_KEY_128 : DATA_KEY_256);
    const bytes = Buffer.from(PLAIN);
    cipher.encrypt(bytes, sector);
    expect(bytes.subarray(0, 32).toString("hex")).toBe(start);
    expect(createHash("sha256").update(bytes).digest("hex")).toBe(hash);
    cipher.decrypt(bytes, sector);
    expect(bytes).toEqual(PLAIN);
  });
});

describe("against Node's XTS", () => {
  const oneByOne = (key: Buffer, bytes: Buffer, firstSector: number): Buffer => {
    const parts: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += 512) {
      const tweak = Buffer.alloc(16);
      tweak.writeBigUInt64LE(BigInt(firstSector + at / 512));
      const cipher = createCipheriv(key.length === 32 ? "aes-128-xts" : "aes-256-xts", key, tweak);
      parts.push(cipher.update(bytes.subarray(at, at + 512)));
    }
    return Buffer.concat(parts);
  };

  test.each([128, 256])("XTS-%i: any sectors, more than one batch, around 2 TiB", (bits) => {
    const key = bits === 128 ? DATA_KEY_128 : DATA_KEY_256;
    const cipher = new SectorCipher(key);
    void fc.assert(
      fc.property(
        fc.oneof(fc.integer({ min: 0, max: 2 ** 46 }), fc.integer({ min: 2 ** 32 - 3000, max: 2 ** 32 + 3000 })),
        fc.integer({ min: 0, max: 2500 }),
        fc.uint8Array({ minLength: 64, maxLength: 64 }),
        (firstSector, sectors, seed) => {
          const bytes = Buffer.alloc(sectors * 512, Buffer.from(seed));
          const expected = oneByOne(key, bytes, firstSector);
          const plain = Buffer.from(bytes);
          cipher.encrypt(bytes, firstSector);
          expect(bytes.equals(expected)).toBe(true);
          cipher.decrypt(bytes, firstSector);
          expect(bytes.equals(plain)).toBe(true);
        },
      ),
      { numRuns: 12 },
    );
  });

  test("half a sector and keys of other lengths are bugs", () => {
    expect(() => new SectorCipher(Buffer.alloc(48))).toThrow(TypeError);
    expect(() => new SectorCipher(DATA_KEY_128).encrypt(Buffer.alloc(511), 0)).toThrow(TypeError);
  });
});
