/** The metadata block against the published one; its reader against ours, damaged ones and foreign ones. */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { describe, expect, test } from "vitest";
import { KeyMethod } from "../../src/bitlocker/datum.ts";
import type { FormatProblem } from "../../src/bitlocker/format-error.ts";
import { parseMetadataBlock } from "../../src/bitlocker/metadata-block.ts";
import { buildMetadataBlock, type VolumeSecrets } from "../../src/bitlocker/metadata-writer.ts";
import { openVolume, readMetadata } from "../../src/bitlocker/open-volume.ts";
import { keyFromBytes } from "../../src/bitlocker/recovery-password.ts";
import { buildVolumeHeader } from "../../src/bitlocker/volume-header.ts";
import * as vectors from "./vectors.ts";
import { hex } from "./vectors.ts";

const LAYOUT = {
  sizeBytes: 268_435_456,
  metadataAt: [33_988_608, 152_338_432, 169_115_648] as const,
  bootCopyAt: 50_757_632,
  bootCopyBytes: 8192,
};
const SECRETS: VolumeSecrets = {
  recoveryKey: vectors.RECOVERY_KEY,
  stretchedKey: vectors.STRETCHED,
  volumeMasterKey: vectors.MASTER_KEY,
  dataKey: vectors.DATA_KEY_128,
};
const FACTS = {
  layout: LAYOUT,
  spareAt: 135_557_120,
  salt: vectors.SALT,
  description: "PREPHOST WAIMPORT 01/01/2024",
  time: vectors.TIME,
  volumeGuid: vectors.VOLUME_GUID,
  protectorGuid: vectors.PROTECTOR_GUID,
};
const INFO_BYTES = 688;

const golden = (): Buffer => buildMetadataBlock(SECRETS, FACTS);
const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");
const fixedStretch = async () => Buffer.from(vectors.STRETCHED);

describe("writing", () => {
  test("gives the published block, byte for byte", () => {
    const block = golden();
    expect(block.readUInt16LE(8) * 16).toBe(INFO_BYTES);
    expect(block.readUInt32LE(64)).toBe(616);
    expect(block.readUInt32LE(96)).toBe(7);
    expect(sha256(block.subarray(0, INFO_BYTES))).toBe(
      "5927774eca701b9c592ecc328adce34061f2f7249e0333d17128e4781fd9fb3b",
    );
    expect(crc32(block.subarray(0, INFO_BYTES)).toString(16)).toBe("eef37781");
    expect(sha256(block)).toBe("f3bd0b52c6e97405603739b96a4ba8e398f10c58675d1118b779232600122350");
  });

  test("the protector and the validation of the published block", () => {
    const block = golden();
    const protector = hex(`4201020008000100808182838485868788898a8b8c8d8e8f00c08976453cda0100000008
      22000000020001004400690073006b00500061007300730077006f00720064000000ac0000000300010000100000101112131415161718
      191a1b1c1d1e1f400012000500010000c08976453cda0102000000b513318b2aeb81bedf371f2d8e5da644e06110010f942fbd8c7cfcf4
      123160e484177a88812ff6e1b3f04394500013000500010000c08976453cda0103000000ccda4a314654a56f4817873b6da5459ab8d9e7
      995f010acde82526782724436be16931de2e6e0a8aefb521e33022b0c12d479e6ab366dbe33c2ada2b500000000500010000c08976453c
      da010400000012f91583d63f91d05631344b0a9327f78109db9508879e4fa8199297d903c3dcf8205dd726b594a28fab97e99e5bf864fe
      8cd30b836aea84f7dc8cdf`);
    expect(block.indexOf(protector)).toBe(112 + 8 + 2 * "PREPHOST WAIMPORT 01/01/2024\0".length);
    expect(block.subarray(INFO_BYTES, INFO_BYTES + 88)).toEqual(
      hex(`50fd02008177f3ee500000000500010000c08976453cda0106000000f6bcaaadecef57dd3c0770152fafee8e2801aef343063a5b05
        cc1aad562c796fb8424ebda4a81c4a100e8fb036d969537a67a9e1c1769aacc1dd317b`),
    );
  });

  test("holds no key in clear", () => {
    const block = golden();
    for (const secret of Object.values(SECRETS)) expect(block.includes(secret)).toBe(false);
  });
});

/** A medium with the header and three copies; nothing else of it is read. */
function mediumWith(...copies: Buffer[]): (at: number, bytes: number) => Buffer {
  const header = buildVolumeHeader({
    bytesPerSector: 512,
    sectorsPerCluster: 8,
    hiddenSectors: 2048,
    metadataAt: LAYOUT.metadataAt,
  });
  return (at, bytes) => {
    const copy = copies[LAYOUT.metadataAt.findIndex((place) => place === at)];
    return Buffer.from((at === 0 ? header : (copy ?? Buffer.alloc(bytes))).subarray(0, bytes));
  };
}

function problemOf(step: () => unknown): FormatProblem | undefined {
  try {
    step();
    return undefined;
  } catch (error) {
    return (error as { problem?: FormatProblem }).problem;
  }
}

describe("reading", () => {
  test.each([
    ["XTS-AES-128", vectors.DATA_KEY_128],
    ["XTS-AES-256", vectors.DATA_KEY_256],
  ])("opens what was written: %s", async (method, dataKey) => {
    const block = buildMetadataBlock({ ...SECRETS, dataKey }, FACTS);
    const opened = await openVolume(mediumWith(block, block, block), LAYOUT.sizeBytes, vectors.PASSWORD, fixedStretch);
    expect(opened).toEqual({ layout: LAYOUT, method, description: FACTS.description, dataKey });
  });

  test("a wrong password is told as such", async () => {
    const wrong = keyFromBytes(Buffer.alloc(16, 9));
    const medium = mediumWith(golden(), golden(), golden());
    const stretch = async (key: Buffer) => Buffer.alloc(32, key[0]);
    await expect(openVolume(medium, LAYOUT.sizeBytes, wrong, stretch)).rejects.toMatchObject({ problem: "wrong-key" });
  });

  test("one good copy of three is enough, whichever it is", () => {
    const bad = golden();
    bad[200] = (bad[200] as number) ^ 1;
    for (const good of [0, 1, 2]) {
      const copies = [0, 1, 2].map((i) => (i === good ? golden() : bad));
      expect(readMetadata(mediumWith(...copies), LAYOUT.sizeBytes).method).toBe(KeyMethod.Xts128);
    }
    expect(problemOf(() => readMetadata(mediumWith(bad, bad, bad), LAYOUT.sizeBytes))).toBe("damaged");
  });

  test("changed metadata with a mended checksum is found by its hash", async () => {
    const block = golden();
    // The volume's GUID: nothing else depends on it.
    block[85] = (block[85] as number) ^ 1;
    block.writeUInt32LE(crc32(block.subarray(0, INFO_BYTES)), INFO_BYTES + 4);
    const opening = openVolume(mediumWith(block, block, block), LAYOUT.sizeBytes, vectors.PASSWORD, fixedStretch);
    await expect(opening).rejects.toMatchObject({ problem: "damaged" });
  });

  test("every flipped bit of the information is found", () => {
    const block = golden();
    for (let bit = 0; bit < INFO_BYTES * 8; bit++) {
      const at = Math.floor(bit / 8);
      block[at] = (block[at] as number) ^ (1 << (bit % 8));
      expect(
        problemOf(() => parseMetadataBlock(block)),
        `bit ${bit}`,
      ).toMatch(/damaged|unsupported/);
      block[at] = (block[at] as number) ^ (1 << (bit % 8));
    }
  });

  test("lengths and places that cannot be are refused even with a right checksum", () => {
    const withField = (change: (block: Buffer) => void): Buffer => {
      const block = golden();
      change(block);
      const infoBytes = block.readUInt16LE(8) * 16;
      if (infoBytes + 8 <= block.length) block.writeUInt32LE(crc32(block.subarray(0, infoBytes)), infoBytes + 4);
      return block;
    };
    for (const change of [
      (b: Buffer) => b.writeUInt16LE(4096, 8),
      (b: Buffer) => b.writeUInt16LE(0, 8),
      (b: Buffer) => b.writeUInt32LE(0xffff_ffff, 64),
      (b: Buffer) => b.writeUInt32LE(12, 72),
      (b: Buffer) => b.writeUInt32LE(0x7fff_ffff, 72),
      (b: Buffer) => b.writeBigUInt64LE(1n << 60n, 32),
      (b: Buffer) => b.writeBigUInt64LE(100n, 16),
    ]) {
      expect(
        problemOf(() => parseMetadataBlock(withField(change))),
        change.toString(),
      ).toBe("damaged");
    }
    for (const [change, reason] of [
      [(b: Buffer) => b.writeUInt16LE(1, 10), "version 1"],
      [(b: Buffer) => b.writeUInt16LE(2, 12), "not fully encrypted"],
    ] as const) {
      expect(() => parseMetadataBlock(withField(change))).toThrow(reason);
    }
  });

  test("a volume that is cut short, another file system, a header of another kind", () => {
    expect(problemOf(() => readMetadata(mediumWith(golden()), 1024 * 1024))).toBe("damaged");
    const ntfs = Buffer.alloc(512);
    ntfs.write("NTFS    ", 3, "latin1");
    expect(problemOf(() => readMetadata(() => ntfs, LAYOUT.sizeBytes))).toBe("not-bitlocker");
    const big = mediumWith(golden());
    const sectors4k = (at: number, bytes: number): Buffer => {
      const part = big(at, bytes);
      if (at === 0) part.writeUInt16LE(4096, 11);
      return part;
    };
    expect(() => readMetadata(sectors4k, LAYOUT.sizeBytes)).toThrow("4096 bytes");
  });
});
