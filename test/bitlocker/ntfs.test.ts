/** Reading NTFS: a volume made by mkntfs and ntfs-3g, whole, damaged and hostile; what of it is converted. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { rangesToConvert } from "../../src/bitlocker/convert-plan.ts";
import { RANGE_BYTES } from "../../src/bitlocker/convert-range.ts";
import { BitLockerFormatError } from "../../src/bitlocker/format-error.ts";
import { NtfsVolume } from "../../src/bitlocker/ntfs-volume.ts";
import { hiddenAreas, plainView } from "../../src/bitlocker/plain-view.ts";
import { findReservedAreas } from "../../src/bitlocker/reserved-files.ts";
import { SectorCipher } from "../../src/bitlocker/xts.ts";
import { ntfsFixture, readerOf } from "./ntfs-fixture.ts";
import { DATA_KEY_128 } from "./vectors.ts";

const image = ntfsFixture();
const read = readerOf(image);
const CLUSTER = 4096;

function contentOf(volume: NtfsVolume, name: string, bytes: number): Buffer {
  const file = [...volume.files()].find((one) => one.name === name);
  const extents = file === undefined ? [] : volume.extentsOf(file.record);
  return Buffer.concat(extents.map((extent) => read(extent.at, extent.bytes))).subarray(0, bytes);
}

describe("a volume of ntfs-3g", () => {
  const volume = new NtfsVolume(read);

  test("has as much in use as ntfsinfo says", () => {
    expect(volume.usedBytes()).toBe((4095 - 3066) * CLUSTER);
    const extents = [...volume.usedExtents()];
    for (const [i, { at, bytes }] of extents.entries()) {
      expect(bytes).toBeGreaterThan(0);
      const next = extents[i + 1];
      // Neighbours are joined, and nothing lies twice.
      if (next !== undefined) expect(next.at).toBeGreaterThan(at + bytes);
    }
  });

  test("names in its root, without those of the file system", () => {
    expect(volume.rootNames()).toEqual(["System Volume Information", "docs"]);
  });

  test("files in one piece and in several", () => {
    expect(contentOf(volume, "more.bin", 102_400)).toEqual(
      Buffer.concat(Array(400).fill(Buffer.from(Array.from({ length: 256 }, (_, i) => i)))),
    );
    for (const name of ["frag0", "frag1"]) {
      const content = contentOf(volume, name, 150 * CLUSTER);
      for (let block = 0; block < 150; block++) {
        const part = content.subarray(block * CLUSTER, (block + 1) * CLUSTER);
        expect(part.equals(Buffer.alloc(CLUSTER, block)), `${name} block ${block}`).toBe(true);
      }
    }
  });

  test("the files that keep BitLocker's areas", () => {
    const { layout, spareAt } = findReservedAreas(read, image.length);
    const used = [...volume.usedExtents()];
    for (const area of [...hiddenAreas(layout), { at: spareAt, bytes: 65_536 }]) {
      expect(used.some(({ at, bytes }) => at <= area.at && at + bytes >= area.at + area.bytes)).toBe(true);
      expect(read(area.at, area.bytes).every((byte) => byte === 0)).toBe(true);
    }
  });

  test("without those files it says which one is missing", () => {
    const renamed = Buffer.from(image);
    const name = Buffer.from("FVE2.{da392a22", "utf16le");
    for (let at = renamed.indexOf(name); at >= 0; at = renamed.indexOf(name, at + 1)) renamed.write("X", at, "utf16le");
    expect(() => findReservedAreas(readerOf(renamed), image.length)).toThrow("FVE2.{da392a22");
  });
});

describe("what is not sound", () => {
  test("another file system and sizes that cannot be", () => {
    expect(() => new NtfsVolume(readerOf(Buffer.alloc(8192)))).toThrow("no NTFS");
    for (const [at, value] of [
      [12, 0],
      [13, 0],
      [13, 3],
      [13, 200],
      [64, 0],
      [64, 0x80],
    ] as const) {
      const bad = Buffer.from(image);
      bad[at] = value;
      expect(() => new NtfsVolume(readerOf(bad)), `byte ${at} = ${value}`).toThrow(BitLockerFormatError);
    }
  });

  test("a torn record is found by its fix-ups", () => {
    const bad = Buffer.from(image);
    const mftAt = 16_384;
    bad[mftAt + 510] = (bad[mftAt + 510] as number) ^ 1;
    expect(() => new NtfsVolume(readerOf(bad))).toThrow("file table is damaged");
  });

  test("whatever is flipped in the file table, the answer is a volume or a reason", () => {
    void fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat({ max: 20_000 }), fc.nat({ max: 255 })), { maxLength: 40 }), (flips) => {
        const bad = Buffer.from(image.subarray(0, 12 * 1024 * 1024));
        for (const [offset, value] of flips) bad[16_384 + offset] = value;
        try {
          const volume = new NtfsVolume(readerOf(bad));
          volume.usedBytes();
          volume.rootNames();
        } catch (error) {
          if (!(error instanceof BitLockerFormatError)) throw error;
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe("what is converted", () => {
  const volume = new NtfsVolume(read);
  const { layout } = findReservedAreas(read, image.length);
  const marks = (ranges: Iterable<{ at: number; bytes: number }>): Set<number> => {
    const sectors = new Set<number>();
    for (const { at, bytes } of ranges) {
      expect(at % 512 === 0 && bytes % 512 === 0 && bytes > 0 && bytes <= RANGE_BYTES).toBe(true);
      for (let sector = at / 512; sector < (at + bytes) / 512; sector++) {
        expect(sectors.has(sector)).toBe(false);
        sectors.add(sector);
      }
    }
    return sectors;
  };

  test("every sector in use but BitLocker's own, once, and the last one", () => {
    const expected = marks(splitUp([...volume.usedExtents()]));
    for (const { at, bytes } of [{ at: 0, bytes: layout.bootCopyBytes }, ...hiddenAreas(layout)]) {
      for (let sector = at / 512; sector < (at + bytes) / 512; sector++) expected.delete(sector);
    }
    for (let sector = (4095 * CLUSTER) / 512; sector < image.length / 512; sector++) expected.add(sector);
    expect(marks(rangesToConvert(volume, layout))).toEqual(expected);
  });

  test("going on at any mark leaves nothing out", () => {
    const all = marks(rangesToConvert(volume, layout));
    void fc.assert(
      fc.property(fc.nat({ max: image.length / 512 }), (mark) => {
        const rest = marks(rangesToConvert(volume, layout, mark * 512));
        expect(rest).toEqual(new Set([...all].filter((sector) => sector >= mark)));
      }),
      { numRuns: 30 },
    );
  });
});

describe("an encrypted volume as its file system sees it", () => {
  const { layout } = findReservedAreas(read, image.length);
  const cipher = new SectorCipher(DATA_KEY_128);
  const target = Buffer.alloc(image.length, 0xee);
  for (const { at, bytes } of rangesToConvert(new NtfsVolume(read), layout)) {
    const part = Buffer.from(read(at, bytes));
    cipher.encrypt(part, at / 512);
    part.copy(target, at);
  }
  const boot = Buffer.from(read(0, 8192));
  cipher.encrypt(boot, layout.bootCopyAt / 512);
  boot.copy(target, layout.bootCopyAt);
  const view = plainView(readerOf(target), { layout, dataKey: DATA_KEY_128 });

  test("everything in use reads as it was, wherever one begins and ends", () => {
    const used = [...new NtfsVolume(read).usedExtents()];
    void fc.assert(
      fc.property(
        fc.nat({ max: used.length - 1 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.nat({ max: 9000 }),
        (i, where_, length) => {
          const { at, bytes } = used[i] as { at: number; bytes: number };
          const from = at + Math.floor(where_ * (bytes - 1));
          const count = Math.min(length, at + bytes - from);
          expect(view(from, count).equals(read(from, count))).toBe(true);
        },
      ),
      { numRuns: 200 },
    );
  });

  test("BitLocker's areas read as zeros", () => {
    for (const { at, bytes } of hiddenAreas(layout)) expect(view(at, bytes).every((byte) => byte === 0)).toBe(true);
  });
});

function splitUp(extents: readonly { at: number; bytes: number }[]): { at: number; bytes: number }[] {
  return extents.flatMap(({ at, bytes }) =>
    Array.from({ length: bytes / CLUSTER }, (_, i) => ({ at: at + i * CLUSTER, bytes: CLUSTER })),
  );
}
