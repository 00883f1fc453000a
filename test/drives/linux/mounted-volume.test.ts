/** Volumes that somebody opened and mounted: taken only when they lie on BitLocker and the key is that volume's. */
import { mkdirSync, symlinkSync, truncateSync } from "node:fs";
import { dirname } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { generateBitLockerKey } from "../../../src/bitlocker/recovery-password.ts";
import type { Drive } from "../../../src/drives/drive.ts";
import { createLinuxEncryption } from "../../../src/drives/encryption/linux.ts";
import { systemRandom } from "../../../src/platform/random.ts";
import { temporaryDirectory } from "../../platform/temporary-directory.ts";
import { imageAt } from "./image-tools.ts";
import { SimulatedLinux, VOLUME_BYTES } from "./simulated-linux.ts";

const KEY = generateBitLockerKey(systemRandom);
const PARTITION: Drive = { ...imageAt("/dev/sdb1", VOLUME_BYTES), kind: "partition" };
const MOUNTED: Drive = { ...imageAt("/mnt/a", VOLUME_BYTES), kind: "volume", volumeKey: "block 253:0" };

let machine: SimulatedLinux;
beforeEach(async () => {
  machine = new SimulatedLinux(temporaryDirectory());
  machine.write("/dev/sdb1", "");
  truncateSync(machine.at("/dev/sdb1"), VOLUME_BYTES);
  await encryption().encrypt(PARTITION, KEY, { format: { label: "WAIMPORT" } });
  device("sdb1", "8:17", { size: String(VOLUME_BYTES / 512) });
});

const encryption = () => createLinuxEncryption(machine.ports());

function device(name: string, number: string, files: Readonly<Record<string, string>>): void {
  machine.write(`/sys/block-devices/${name}/dev`, `${number}\n`);
  for (const [path, content] of Object.entries(files)) machine.write(`/sys/block-devices/${name}/${path}`, content);
  for (const link of [`/sys/class/block/${name}`, `/sys/dev/block/${number}`]) {
    mkdirSync(dirname(machine.at(link)), { recursive: true });
    symlinkSync(machine.at(`/sys/block-devices/${name}`), machine.at(link));
  }
}

describe("on a mapping of the kernel", () => {
  beforeEach(() => device("dm-0", "253:0", { "dm/uuid": "CRYPT-BITLK-1234-x\n", "slaves/sdb1": "" }));

  test("is open, and its own key is taken", async () => {
    expect(await encryption().status(MOUNTED)).toEqual({ state: "on" });
    await encryption().adopt(MOUNTED, KEY);
    await encryption().unlock(MOUNTED, KEY);
  });

  test("another key is refused", async () => {
    const other = generateBitLockerKey(systemRandom);
    await expect(encryption().adopt(MOUNTED, other)).rejects.toMatchObject({ code: "BITLOCKER_KEY_WRONG" });
    await expect(encryption().adopt(MOUNTED, "123")).rejects.toMatchObject({ code: "BITLOCKER_KEY_INVALID" });
  });
});

test.each([
  ["LUKS", { "dm/uuid": "CRYPT-LUKS2-1234-x\n", "slaves/sdb1": "" }],
  ["nothing that is encrypted", {}],
])("on %s it is refused", async (_what, files) => {
  device("dm-0", "253:0", files);
  expect(await encryption().status(MOUNTED)).toEqual({ state: "off" });
  await expect(encryption().adopt(MOUNTED, KEY)).rejects.toThrow("does not lie on a BitLocker volume");
});
