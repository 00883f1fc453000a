/** `--verify`: what a drive gives back is compared before it is sealed. */
import { beforeAll, describe, expect, it } from "vitest";
import { differenceOf, type Finished, finishedState, unbroken } from "./fault-loop.ts";
import { createWorld, DRIVES, driveId, FILES, FIRST, RESUME, type World, withOptions } from "./preparation-world.ts";

const VERIFY = withOptions(FIRST, { verify: true });
/** A file of 10 KB on the second drive. */
const PHOTO = "/drives/two/day#1/0/1/p13.jpg";

let base: World;
let expected: Finished;
let world: World;
beforeAll(async () => {
  base = createWorld({ large: true });
  ({ finished: expected } = await unbroken({ name: "", base, command: FIRST }));
});

async function verified(arm: (world: World) => void) {
  world = base.fork();
  arm(world);
  return await world.run(VERIFY);
}

describe("write verification", () => {
  it("reads every byte back and says how", async () => {
    const { outcome, events } = await verified(() => {});
    expect(outcome).toMatchObject({ state: "completed", exitCode: 0 });
    expect(outcome?.verification).toEqual({
      files: FILES,
      bytes: outcome?.bytes,
      rewrittenFiles: 0,
      readMethod: "direct",
    });
    const states = events.flatMap((event) => (event.type === "drive-state" ? [`${event.driveId} ${event.state}`] : []));
    for (const drive of DRIVES.slice(0, 2)) expect(states).toContain(`${driveId(drive)} verifying`);
    expect(differenceOf(finishedState(world), expected)).toBeUndefined();
  });

  it("does nothing of the kind unless asked", async () => {
    const { outcome } = await base.fork().run(FIRST);
    expect(outcome?.verification).toBeUndefined();
  });

  it.each([
    ["a flipped bit", "read", (world: World) => world.faults.on("read").at(PHOTO).flipBit()],
    ["a read error", "read", (world: World) => world.faults.on("read").at(PHOTO).times(3).fail("EIO")],
    ["a file that cannot be looked at", "lstat", (world: World) => world.faults.on("lstat").at(PHOTO).fail("EIO")],
  ])("writes a file again after %s", async (_name, _call, arm) => {
    const { outcome } = await verified(arm);
    expect(outcome).toMatchObject({ state: "completed", exitCode: 0, verification: { rewrittenFiles: 1 } });
    expect(differenceOf(finishedState(world), expected)).toBeUndefined();
  });

  it("writes a file with a bad second segment again, whole", async () => {
    const big = "/drives/two/day#1/0/big.bin";
    const { outcome } = await verified((w) => w.faults.on("read").at(big).after(4).flipBit());
    expect(outcome).toMatchObject({ exitCode: 0, verification: { rewrittenFiles: 1 } });
    expect(differenceOf(finishedState(world), expected)).toBeUndefined();
  });

  it("fails a drive that goes on giving back other bytes, and seals nothing", async () => {
    const { outcome, events } = await verified((w) => w.faults.on("read").at(PHOTO).always().flipBit());
    expect(outcome).toMatchObject({ state: "drives-failed", exitCode: 5 });
    const failed = events.filter((event) => event.type === "drive-failed");
    expect(failed).toMatchObject([{ driveId: driveId("/drives/two"), code: "DRIVE_FAILED" }]);
    expect(failed[0]).toMatchObject({ reason: expect.stringContaining(PHOTO) });
    expect(world.disk.isThere("/drives/two/DriveManifest.xml")).toBe(false);
  });

  it("and the same session goes on when the drive works again", async () => {
    await verified((w) => w.faults.on("read").at(PHOTO).always().flipBit());
    world.faults.clear();
    const { outcome } = await world.run(withOptions(RESUME, { verify: true }));
    expect(outcome).toMatchObject({ state: "completed", exitCode: 0 });
    expect(differenceOf(finishedState(world), expected)).toBeUndefined();
  });
});
