/** Drive images on the real machine: made, filled, closed, opened again; interrupted; refused. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { generateBitLockerKey } from "../../../src/bitlocker/recovery-password.ts";
import type { DriveEncryption } from "../../../src/drives/encryption/encryption.ts";
import { createLinuxEncryption } from "../../../src/drives/encryption/linux.ts";
import { systemRandom } from "../../../src/platform/random.ts";
import {
  dislock,
  HAS_NTFS,
  HAS_READERS,
  imageAt,
  mountsBelow,
  ntfsRead,
  realPorts,
  unmountAll,
} from "./image-tools.ts";

const MIB = 1024 * 1024;
const SIZE = 64 * MIB;
const KEY = generateBitLockerKey(systemRandom);
const OTHER_KEY = generateBitLockerKey(systemRandom);
const FORMAT = { format: { label: "WAIMPORT" } };
const CONTENT = Buffer.alloc(3_000_001, "some data ");

let directory: string;
let image: string;
let encryption: DriveEncryption;

beforeEach(() => {
  directory = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), "waie-image-")));
  image = join(directory, "disk.img");
  encryption = createLinuxEncryption(realPorts(directory));
});
afterEach(() => {
  unmountAll(directory);
  fs.rmSync(directory, { recursive: true });
});

const drive = () => imageAt(image, SIZE);
const open = async (): Promise<string> => (await required(encryption.open)(drive(), KEY)).root;
const close = () => required(encryption.close)(drive(), KEY);

function required<T>(method: T | undefined): T {
  if (method === undefined) throw new Error("the method is missing");
  return method;
}

async function makeWith(...names: string[]): Promise<void> {
  await encryption.encrypt(drive(), KEY, FORMAT);
  const root = await open();
  for (const name of names) fs.writeFileSync(join(root, name), CONTENT);
}

function expectClosed(): void {
  expect(fs.readdirSync(directory).sort()).toEqual(["disk.img", "state"]);
  expect(mountsBelow(directory)).toEqual([]);
}

/** By programs of others: the key opens it, and every file reads as it was written. */
function expectReadable(...names: string[]): void {
  const opened = spawnSync("cryptsetup", ["open", "--type", "bitlk", "--test-passphrase", "--key-file", "-", image], {
    input: KEY,
  });
  expect(opened.status).toBe(0);
  expect(spawnSync("bdeinfo", ["-r", KEY, image]).status).toBe(0);
  const plain = join(directory, "plain.img");
  dislock(image, KEY, plain);
  for (const name of names) expect(ntfsRead(plain, name).equals(CONTENT), name).toBe(true);
  expect(spawnSync("ntfsfix", ["-n", plain]).status).toBe(0);
  fs.unlinkSync(plain);
}

const REAL = HAS_NTFS && HAS_READERS;
const where = REAL ? "" : " (left out: ntfs-3g, attr, FUSE, cryptsetup, bdeinfo or dislocker is missing)";

describe.skipIf(!REAL)(`a drive image${where}`, () => {
  test("is made, filled and closed; others open it; nothing stays behind", async () => {
    await makeWith("a.bin", "Ünïcödé 日本.txt");
    expect(fs.statSync(`${image}.plain`).mode & 0o777).toBe(0o600);
    const report = await close();
    expectClosed();
    expect(report.checks.map(({ ok, detail }) => ({ ok, detail }))).toEqual([{ ok: true }, { ok: true }, { ok: true }]);
    expectReadable("a.bin", "Ünïcödé 日本.txt");
    expect(await close()).toEqual({ checks: [], missing: [] });
  });

  test("takes more in a later session, and keeps what it had", async () => {
    await makeWith("a.bin");
    await close();
    const seen = await required(encryption.inspect)(drive(), { key: KEY });
    expect(seen?.rootNames).toContain("a.bin");
    expect(seen?.freeBytes).toBeLessThan(SIZE - CONTENT.length);
    await encryption.adopt(drive(), KEY);
    fs.writeFileSync(join(await open(), "b.bin"), CONTENT);
    await close();
    expectClosed();
    expectReadable("a.bin", "b.bin");
  });

  test("goes on after a release, and after a run that died while it was mounted", async () => {
    await makeWith("a.bin");
    await required(encryption.release)(drive());
    expect(mountsBelow(directory)).toEqual([]);
    expect(await encryption.status(drive())).toEqual({ state: "on" });
    const root = await open();
    fs.writeFileSync(join(root, "b.bin"), CONTENT);
    // Another run finds it mounted.
    encryption = createLinuxEncryption(realPorts(directory));
    fs.writeFileSync(join(await open(), "c.bin"), CONTENT);
    await close();
    expectClosed();
    expectReadable("a.bin", "b.bin", "c.bin");
  });

  test("holds nothing in clear, also when the file held something before", async () => {
    fs.writeFileSync(image, Buffer.alloc(SIZE, "old secret "));
    await makeWith("a.bin");
    await close();
    const bytes = fs.readFileSync(image);
    expect(bytes.includes("old secret")).toBe(false);
    expect(bytes.includes("some data some data")).toBe(false);
    expectReadable("a.bin");
  });

  test("the same key again confirms, another key is refused, and so is a wrong one", async () => {
    await makeWith("a.bin");
    await encryption.encrypt(drive(), KEY, FORMAT);
    await expect(encryption.encrypt(drive(), OTHER_KEY, FORMAT)).rejects.toMatchObject({ code: "ENCRYPTION_FAILED" });
    await expect(required(encryption.open)(drive(), OTHER_KEY)).rejects.toMatchObject({ code: "BITLOCKER_KEY_WRONG" });
    await close();
    await encryption.encrypt(drive(), KEY, FORMAT);
    expectReadable("a.bin");
    await expect(encryption.adopt(drive(), OTHER_KEY)).rejects.toMatchObject({ code: "BITLOCKER_KEY_WRONG" });
    await expect(encryption.encrypt(drive(), OTHER_KEY)).rejects.toThrow("already encrypted with another key");
  });

  test("too small, without a volume, with somebody's file in the way", async () => {
    await expect(encryption.encrypt(imageAt(image, 4 * MIB), KEY, FORMAT)).rejects.toThrow("needs at least");
    fs.writeFileSync(image, Buffer.alloc(SIZE));
    await expect(encryption.encrypt(drive(), KEY)).rejects.toThrow("holds no volume yet");
    await expect(encryption.adopt(drive(), KEY)).rejects.toThrow("is not encrypted with BitLocker");
    fs.writeFileSync(`${image}.plain`, "mine");
    await expect(encryption.encrypt(drive(), KEY, FORMAT)).rejects.toThrow("is there already");
    expect(fs.readFileSync(`${image}.plain`, "utf8")).toBe("mine");
  });
});
