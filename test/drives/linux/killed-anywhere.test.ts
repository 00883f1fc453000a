/**
 * Images and partitions on a simulated machine: killed before every single step and called again, with the machine
 * running on or started anew. In the end there is one whole encrypted volume, and nothing else.
 */
import { existsSync, readdirSync, readFileSync, truncateSync } from "node:fs";
import { beforeEach, describe, expect, test } from "vitest";
import { NtfsVolume } from "../../../src/bitlocker/ntfs-volume.ts";
import { openVolume } from "../../../src/bitlocker/open-volume.ts";
import { plainView } from "../../../src/bitlocker/plain-view.ts";
import { generateBitLockerKey } from "../../../src/bitlocker/recovery-password.ts";
import type { Drive } from "../../../src/drives/drive.ts";
import type { DriveEncryption } from "../../../src/drives/encryption/encryption.ts";
import { createLinuxEncryption } from "../../../src/drives/encryption/linux.ts";
import { systemRandom } from "../../../src/platform/random.ts";
import { ntfsFixture, readerOf } from "../../bitlocker/ntfs-fixture.ts";
import { temporaryDirectory } from "../../platform/temporary-directory.ts";
import { imageAt } from "./image-tools.ts";
import { Killed, SimulatedLinux, VOLUME_BYTES } from "./simulated-linux.ts";

const KEY = generateBitLockerKey(systemRandom);
const IMAGE = imageAt("/data/disk.img", VOLUME_BYTES);
const PARTITION: Drive = {
  ...imageAt("/dev/sdb1", VOLUME_BYTES),
  kind: "partition",
  driveId: "WD-1",
  startSector: 2048,
};
const FORMAT = { format: { label: "WAIMPORT" } };

const made = ntfsFixture();
const extents = [...new NtfsVolume(readerOf(made)).usedExtents()];

let machine: SimulatedLinux;
beforeEach(() => {
  machine = new SimulatedLinux(temporaryDirectory());
  machine.write("/dev/sdb1", "");
  truncateSync(machine.at("/dev/sdb1"), VOLUME_BYTES);
});

type Work = (encryption: DriveEncryption, drive: Drive) => Promise<void>;

const session: Work = async (encryption, drive) => {
  await encryption.open?.(drive, KEY);
  await encryption.close?.(drive, KEY);
};
const firstSession: Work = async (encryption, drive) => {
  await encryption.encrypt(drive, KEY, FORMAT);
  await session(encryption, drive);
};
const laterSession: Work = async (encryption, drive) => {
  await encryption.adopt(drive, KEY);
  await session(encryption, drive);
};

async function run(work: Work, drive: Drive, killBefore = Number.POSITIVE_INFINITY): Promise<"done" | "killed"> {
  machine.killBefore = killBefore;
  try {
    await work(createLinuxEncryption(machine.ports()), drive);
    return "done";
  } catch (error) {
    if (machine.steps >= machine.killBefore) return "killed";
    throw error;
  } finally {
    machine.killBefore = Number.POSITIVE_INFINITY;
  }
}

/** The volume reads as the one that mkntfs made, and the machine is as tidy as before. */
async function expectWhole(drive: Drive, when: string): Promise<void> {
  const bytes = readFileSync(machine.at(drive.root));
  expect(bytes.length).toBe(VOLUME_BYTES);
  const opened = await openVolume(readerOf(bytes), bytes.length, KEY, machine.stretch);
  const view = plainView(readerOf(bytes), opened);
  for (const { at, bytes: length } of extents) {
    expect(view(at, length).equals(made.subarray(at, at + length)), `${when}: bytes at ${at}`).toBe(true);
  }
  expect(readdirSync(machine.at("/data")), when).toEqual(drive.kind === "image" ? ["disk.img"] : []);
  const left = existsSync(machine.at("/state/volumes")) ? readdirSync(machine.at("/state/volumes")) : [];
  expect({ mounts: machine.mounts(), mappings: machine.mappings(), left }, when).toEqual({
    mounts: [],
    mappings: [],
    left: [],
  });
}

/** Every second time the machine is started anew before the work goes on; else mounts and mappings are still there. */
async function killEverywhere(work: Work, drive: Drive, prepareFirst: Work[]): Promise<number> {
  for (let killBefore = 1; ; killBefore++) {
    machine = new SimulatedLinux(temporaryDirectory());
    machine.write("/dev/sdb1", "");
    truncateSync(machine.at("/dev/sdb1"), VOLUME_BYTES);
    for (const before of prepareFirst) await run(before, drive);
    if ((await run(work, drive, killBefore)) === "done") return killBefore - 1;
    if (killBefore % 2 === 0) machine.restart();
    expect(await run(work, drive)).toBe("done");
    await expectWhole(drive, `killed before step ${killBefore}`);
  }
}

describe.each([
  ["an image", IMAGE],
  ["a partition", PARTITION],
])("%s", (_, drive) => {
  test("is made, closed and opened again", async () => {
    await run(firstSession, drive);
    await expectWhole(drive, "first session");
    await run(laterSession, drive);
    await expectWhole(drive, "later session");
  });

  test("first session, killed before each step", async () => {
    expect(await killEverywhere(firstSession, drive, [])).toBeGreaterThan(30);
  });

  test("later session, killed before each step", async () => {
    expect(await killEverywhere(laterSession, drive, [firstSession])).toBeGreaterThan(10);
  });
});

describe("an image that was not closed", () => {
  test("is no BitLocker volume while it is being written", async () => {
    const headers = new Set<string>();
    for (let killBefore = 1; (await run(firstSession, IMAGE, killBefore)) === "killed"; killBefore++) {
      if (!existsSync(machine.at(IMAGE.root))) continue;
      const isWhole = await machine.opens(IMAGE.root, KEY);
      headers.add(isWhole ? "whole" : readFileSync(machine.at(IMAGE.root)).toString("latin1", 3, 11));
    }
    expect([...headers].filter((header) => header === "-FVE-FS-")).toEqual([]);
  });

  test("keeps its plain file until the image is whole", async () => {
    await run(async (encryption, drive) => {
      await encryption.encrypt(drive, KEY, FORMAT);
      await encryption.open?.(drive, KEY);
    }, IMAGE);
    for (let killBefore = 1; ; killBefore++) {
      const ended = await run(
        async (encryption, drive) => void (await encryption.close?.(drive, KEY)),
        IMAGE,
        killBefore,
      );
      if (ended === "done") break;
      const isWhole = await machine.opens(IMAGE.root, KEY);
      expect(isWhole || existsSync(machine.at(`${IMAGE.root}.plain`))).toBe(true);
    }
    await expectWhole(IMAGE, "closed at last");
  });
});

test("a kill is a kill: nothing that comes after it has an effect", async () => {
  machine.killBefore = 1;
  const ports = machine.ports();
  expect(() => ports.fs.mkdir("/data/x")).toThrow(Killed);
  expect(() => ports.fs.unlink("/dev/sdb1")).toThrow(Killed);
  await expect(ports.runner.run("umount", ["/data"])).rejects.toThrow(Killed);
  expect(existsSync(machine.at("/dev/sdb1"))).toBe(true);
});
