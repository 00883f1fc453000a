import { describe, expect, test } from "vitest";
import type { Drive } from "../../../src/drives/drive.ts";
import { createEncryptionChooser } from "../../../src/drives/encryption/choose-encryption.ts";
import type { DriveEncryption, EncryptionCapabilities } from "../../../src/drives/encryption/encryption.ts";
import { createLinuxEncryption } from "../../../src/drives/encryption/linux.ts";
import { createMockEncryption } from "../../../src/drives/encryption/mock.ts";
import { createWindowsEncryption } from "../../../src/drives/encryption/windows.ts";
import { nodeFileSystem } from "../../../src/platform/file-system.ts";
import { realPorts } from "../linux/image-tools.ts";
import { sampleDrive } from "../sample-drive.ts";

/** A machine without any of the programs. */
const bare = realPorts("/nowhere", {
  run: async () => ({ exitCode: -1, stdout: "", stderr: "", failure: "missing" }),
});
const mock = createMockEncryption(nodeFileSystem, "/nowhere");
const volume = sampleDrive({ kind: "volume", encryptable: "bitlocker" });
const image = sampleDrive({ kind: "image", encryptable: "bitlocker" });

function working(can: Partial<EncryptionCapabilities> = {}): DriveEncryption {
  const capabilities = async () => ({ canEncrypt: true, canUnlock: true, missing: [], ...can });
  return { ...createLinuxEncryption(bare), capabilities };
}

describe("where BitLocker works", () => {
  const choose = createEncryptionChooser({ mock, bitlocker: working() });

  test.each([
    ["a volume", volume],
    ["an image", image],
  ])("%s gets it", async (_what, drive) => {
    expect(await choose(drive, "auto", "encrypt")).toMatchObject({ kind: "bitlocker" });
  });

  test("a volume can be rehearsed with, an image cannot", async () => {
    expect(await choose(volume, "mock", "encrypt")).toMatchObject({ kind: "mock", encryption: mock });
    expect(await choose(image, "mock", "encrypt")).toMatchObject({ kind: "bitlocker" });
  });

  test.each(["directory", "tmpfs", "loop", "network", "container"] as const)("a %s gets the mock", async (kind) => {
    expect(await choose(sampleDrive({ kind }), "auto", "use-encrypted")).toMatchObject({ kind: "mock" });
  });
});

test("each task needs its own capability", async () => {
  const choose = createEncryptionChooser({ mock, bitlocker: working({ canEncrypt: false, missing: ["no mkntfs"] }) });
  expect(await choose(volume, "auto", "use-encrypted")).toMatchObject({ kind: "bitlocker" });
  await expect(choose(volume, "auto", "encrypt")).rejects.toMatchObject({
    code: "ENCRYPTION_UNAVAILABLE",
    exitCode: 5,
    message: expect.stringMatching(/no mkntfs$/),
  });
});

describe("where it does not work yet", () => {
  const cases: [string, DriveEncryption | undefined, RegExp][] = [
    ["Windows", createWindowsEncryption(), /BitLocker tools yet$/],
    [
      "Linux",
      createLinuxEncryption(bare),
      /name its partition instead, as in "\/dev\/sdb1"$|mkntfs is not installed \(package ntfs-3g\)/,
    ],
    ["macOS", undefined, /this system has no BitLocker$/],
  ];
  test.each(cases)(
    "on %s a volume is refused with the reason, unless the mock was asked for",
    async (_os, bitlocker, why) => {
      const choose = createEncryptionChooser({ mock, ...(bitlocker === undefined ? {} : { bitlocker }) });
      const expected = { code: "ENCRYPTION_UNAVAILABLE", message: expect.stringMatching(why) };
      await expect(choose(volume, "auto", "encrypt")).rejects.toMatchObject(expected);
      await expect(choose(image, "mock", "encrypt")).rejects.toMatchObject(expected);
      expect(await choose(volume, "mock", "encrypt")).toMatchObject({ kind: "mock" });
    },
  );

  test.each([createWindowsEncryption()])("$kind refuses every step", async (encryption) => {
    const drive: Drive = volume;
    const expected = { code: "ENCRYPTION_UNAVAILABLE" };
    await expect(encryption.encrypt(drive, "k")).rejects.toMatchObject(expected);
    await expect(encryption.adopt(drive, "k")).rejects.toMatchObject(expected);
    await expect(encryption.unlock(drive, "k")).rejects.toMatchObject(expected);
    await expect(encryption.lock(drive)).rejects.toMatchObject(expected);
    expect(await encryption.status(drive)).toEqual({ state: "unknown" });
  });
});
