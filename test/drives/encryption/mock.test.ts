import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { validateBitLockerKey } from "../../../src/bitlocker/recovery-password.ts";
import type { Drive } from "../../../src/drives/drive.ts";
import type { DriveEncryption } from "../../../src/drives/encryption/encryption.ts";
import { createMockEncryption } from "../../../src/drives/encryption/mock.ts";
import { nodeFileSystem } from "../../../src/platform/file-system.ts";
import { systemRandom } from "../../../src/platform/random.ts";
import { temporaryDirectory } from "../../platform/temporary-directory.ts";
import { sampleDrive } from "../sample-drive.ts";

let stateDirectory: string;
let drive: Drive;
let mock: DriveEncryption;
let key: string;
let otherKey: string;

beforeEach(() => {
  stateDirectory = temporaryDirectory();
  drive = sampleDrive({ root: temporaryDirectory(), driveId: "WD/1" });
  mock = createMockEncryption(nodeFileSystem, stateDirectory);
  key = mock.newKey(systemRandom);
  otherKey = mock.newKey(systemRandom);
});

const prepared = (): void => writeFileSync(join(drive.root, "DriveManifest.xml"), "");

test("new keys are valid and differ", () => {
  expect(validateBitLockerKey(key)).toEqual({ ok: true, key });
  expect(key).not.toBe(otherKey);
});

describe("the states", () => {
  test("off, on, locked, on", async () => {
    expect(await mock.status(drive)).toEqual({ state: "off", method: "none" });
    await mock.encrypt(drive, key);
    expect(await mock.status(drive)).toMatchObject({ state: "on" });
    await mock.lock(drive);
    await mock.lock(drive);
    expect(await mock.status(drive)).toMatchObject({ state: "locked" });
    await expect(mock.unlock(drive, otherKey)).rejects.toMatchObject({ code: "BITLOCKER_KEY_WRONG", exitCode: 8 });
    await mock.unlock(drive, key);
    expect(await mock.status(drive)).toMatchObject({ state: "on" });
  });

  test("are known to the next run, and kept apart by drive", async () => {
    await mock.encrypt(drive, key);
    const next = createMockEncryption(nodeFileSystem, stateDirectory);
    expect(await next.status(drive)).toMatchObject({ state: "on" });
    expect(await next.status(sampleDrive({ driveId: "other" }))).toMatchObject({ state: "off" });
  });

  test("of a drive that is not encrypted cannot be locked or unlocked", async () => {
    await expect(mock.unlock(drive, key)).rejects.toMatchObject({ code: "ENCRYPTION_FAILED" });
    await expect(mock.lock(drive)).rejects.toMatchObject({ code: "ENCRYPTION_FAILED" });
  });
});

describe("encrypt", () => {
  test("can be repeated with the same key, also on a prepared drive", async () => {
    await mock.encrypt(drive, key);
    prepared();
    const percents: number[] = [];
    await mock.encrypt(drive, key, { onPercent: (percent) => percents.push(percent) });
    expect(percents).toEqual([100]);
  });

  test("with another key: only where nothing is prepared", async () => {
    await mock.encrypt(drive, key);
    await mock.encrypt(drive, otherKey);
    prepared();
    await expect(mock.encrypt(drive, key)).rejects.toMatchObject({ code: "ENCRYPTION_FAILED" });
    await mock.unlock(drive, otherKey);
  });
});

describe("adopt", () => {
  test("records the first key; a different one fails later", async () => {
    await mock.adopt(drive, key);
    expect(await mock.status(drive)).toMatchObject({ state: "on" });
    await expect(mock.adopt(drive, otherKey)).rejects.toMatchObject({ code: "BITLOCKER_KEY_WRONG" });
    await mock.lock(drive);
    await mock.adopt(drive, key.replaceAll("-", " "));
    expect(await mock.status(drive)).toMatchObject({ state: "on" });
  });
});

test.each(["encrypt", "adopt", "unlock"] as const)("%s refuses what is no key and does not repeat it", async (step) => {
  const wrong = key.replace(/^\d{6}/, "000001");
  const error = await mock[step](drive, wrong).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: "BITLOCKER_KEY_INVALID" });
  expect(JSON.stringify(error) + (error as Error).message).not.toContain(wrong.slice(7));
});

test("the state lies in the user's directory, for the user alone, and never on the drive", async () => {
  await mock.encrypt(drive, key);
  expect(readdirSync(drive.root)).toEqual([]);
  const file = join(stateDirectory, "mock-drives", "WD_1.json");
  expect(readdirSync(join(stateDirectory, "mock-drives"))).toEqual(["WD_1.json"]);
  expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({
    driveId: "WD/1",
    state: "on",
    note: expect.stringContaining("NOT encrypted"),
  });
  if (process.platform === "win32") return;
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(join(stateDirectory, "mock-drives")).mode & 0o777).toBe(0o700);
});

test("a damaged state is named, and so is one of another drive with the same file name", async () => {
  await mock.encrypt(drive, key);
  const file = join(stateDirectory, "mock-drives", "WD_1.json");
  await expect(mock.status({ ...drive, driveId: "WD:1" })).rejects.toMatchObject({ code: "STATE_DAMAGED" });
  writeFileSync(file, "{");
  const error = await mock.status(drive).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: "STATE_DAMAGED", message: expect.stringContaining(file) });
});
