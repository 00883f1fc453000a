/**
 * Somebody had the drive in hands between two runs and put links where the next run will write or remove: nothing
 * outside the drive changes, and the drive is refused.
 */
import { beforeAll, describe, expect, it } from "vitest";
import { AppError } from "../../src/platform/app-error.ts";
import { removeTree } from "../../src/platform/remove-tree.ts";
import { differenceOf, type Finished, finish, finishedState, unbroken } from "./fault-loop.ts";
import type { MemoryFileSystem } from "./memory-file-system.ts";
import {
  ABORT_FIRST,
  ABORT_LATER,
  createWorld,
  FIRST,
  LATER,
  RESUME,
  type RunResult,
  type World,
} from "./preparation-world.ts";

const VICTIM = "/home/somebody";
const PHOTO = "/drives/two/day#1/0/3/p11.jpg";

let interrupted: World;
let completed: World;
let expected: Finished;
beforeAll(async () => {
  const world = createWorld();
  world.disk.writeFile(`${VICTIM}/p11.jpg`, "precious");
  world.disk.writeFile(`${VICTIM}/0/3/p11.jpg`, "precious");
  world.disk.writeFile(`${VICTIM}/DriveManifest.xml`, "precious");
  expected = (await unbroken({ name: "", base: world, command: FIRST })).finished;
  interrupted = world.fork();
  interrupted.faults.on("open").at("/drives/two/day#1/0/3/").after(3).kill();
  await interrupted.run(FIRST);
  completed = world.fork();
  await completed.run(FIRST);
});

/** Puts a link where something is now. */
function plant(disk: MemoryFileSystem, path: string, target: string): void {
  removeTree(disk, path);
  disk.makeDirectories(path.slice(0, path.lastIndexOf("/")));
  disk.symlink(target, path);
}

async function attacked(base: World, path: string, target: string, command = RESUME): Promise<[World, RunResult]> {
  const world = base.fork();
  plant(world.disk, path, target);
  const before = outside(world);
  const result = await world.run(command);
  expect(outside(world)).toEqual(before);
  return [world, result];
}

const outside = ({ disk }: World): [string, string][] =>
  [...disk.tree("/home"), ...disk.tree("/data")].map(([path, content]) => [path, String(content)]);

describe("a link on the drive in place of", () => {
  it.each([
    ["the session's directory", "/drives/two/day#1", VICTIM],
    ["the directory of a row", "/drives/two/day#1/0", `${VICTIM}/0`],
    ["a directory below", "/drives/two/day#1/0/3", VICTIM],
    ["a file", PHOTO, `${VICTIM}/p11.jpg`],
    ["a file, leading nowhere", PHOTO, `${VICTIM}/new`],
    ["the new manifest", "/drives/two/DriveManifest.xml.new", `${VICTIM}/DriveManifest.xml`],
    ["the new manifest, leading nowhere", "/drives/one/DriveManifest.xml.new", `${VICTIM}/new`],
  ])("%s: the drive is refused", async (_name, path, target) => {
    const [, { outcome, error }] = await attacked(interrupted, path, target);
    if (error !== undefined) expect(error).toMatchObject({ code: "DRIVE_FAILED", exitCode: 5 });
    else expect(outcome).toMatchObject({ state: "drives-failed", exitCode: 5 });
  });

  it.each([
    ["a side file", "/drives/two/day#1/0.metadata.xml"],
    ["a side file that is being written", "/drives/two/day#1/0.metadata.xml.new"],
    ["the manifest", "/drives/two/DriveManifest.xml"],
  ])("%s: the link is replaced, not followed", async (_name, path) => {
    const [world, { error }] = await attacked(interrupted, path, `${VICTIM}/DriveManifest.xml`);
    expect(error).toBeUndefined();
    expect(differenceOf(finishedState(world), expected)).toBeUndefined();
  });

  it("a manifest that is to be extended: refused", async () => {
    const [, { error }] = await attacked(
      completed,
      "/drives/one/DriveManifest.xml",
      `${VICTIM}/DriveManifest.xml`,
      LATER,
    );
    expect(error).toBeInstanceOf(AppError);
    expect(error).toMatchObject({ exitCode: 9 });
  });

  it("the session's directory before the session: refused", async () => {
    const [, { error }] = await attacked(createdWorld(), "/drives/two/day#1", VICTIM, FIRST);
    expect(error).toMatchObject({ code: "DRIVE_HAS_SESSION" });
  });

  it("the write test: another name is taken", async () => {
    const [world, { outcome }] = await attacked(
      createdWorld(),
      "/drives/two/.waimportexport-write-test",
      `${VICTIM}/new`,
      FIRST,
    );
    expect(outcome?.state).toBe("completed");
    expect(world.disk.isThere(`${VICTIM}/new`)).toBe(false);
  });
});

describe("rolling back", () => {
  it.each([
    ["the session's directory", "/drives/two/day#1"],
    ["a directory below", "/drives/two/day#1/0"],
    ["a file", PHOTO],
  ])("removes the link in place of %s, not what it leads to", async (_name, path) => {
    const [world, { outcome }] = await attacked(interrupted, path, VICTIM, ABORT_FIRST);
    expect(outcome?.state).toBe("aborted");
    expect([...world.disk.tree("/drives/two").keys()]).toEqual([]);
  });

  it("refuses a manifest that is a link to something else", async () => {
    const base = completed.fork();
    base.faults.on("rename").at("DriveManifest.xml.new").killAfter();
    await base.run(LATER);
    base.faults.clear();
    const [, { error }] = await attacked(
      base,
      "/drives/one/DriveManifest.xml",
      `${VICTIM}/DriveManifest.xml`,
      ABORT_LATER,
    );
    expect(error).toMatchObject({ code: "MANIFEST_DAMAGED", exitCode: 9 });
  });

  it.each(["/drives/one/DriveManifest.xml.new"])("does not write through a link at %s", async (path) => {
    const base = completed.fork();
    base.faults.on("rename").at("DriveManifest.xml.new").killAfter();
    await base.run(LATER);
    base.faults.clear();
    const [world] = await attacked(base, path, `${VICTIM}/new`, ABORT_LATER);
    expect(world.disk.isThere(`${VICTIM}/new`)).toBe(false);
  });
});

describe("a drive that turns out full", () => {
  it("has its tail removed from itself only", async () => {
    const base = createdWorld();
    // Full in the middle; then killed before the rest of the plan is taken away.
    base.faults.on("write").at("/drives/two/day#1/0/3/").after(1).always().fail("ENOSPC");
    base.faults.on("unlink").at("/drives/two/day#1/0/3/").after(1).kill();
    await base.run(FIRST);
    base.faults.clear();
    const [world] = await attacked(base, "/drives/two/day#1/0/3", VICTIM);
    expect(world.disk.isThere(`${VICTIM}/p11.jpg`)).toBe(true);
  });
});

describe("a hostile name in the sources", () => {
  it("stays below its row on the drive", async () => {
    const world = createdWorld();
    const names = ["..\\..\\up.txt", "C:evil", "a\nb", "CON", "trailing.", "x:stream", "DriveManifest.xml", "%2e%2e"];
    for (const name of names) world.disk.writeFile(`/data/photos/hostile/${name}`, "x");
    world.disk.symlink("/etc/passwd", "/data/photos/hostile/link");
    const { outcome } = await world.run(FIRST);
    expect(outcome?.exitCode).toBe(3);
    const onDrives = ["/drives/one", "/drives/two"].flatMap((drive) => [...world.disk.tree(drive).keys()]);
    for (const path of onDrives.filter((name) => name.includes("hostile/"))) {
      expect(path).toMatch(/^day#1\/0\/hostile\/[^\\:/]+$/);
    }
    expect(onDrives.some((path) => path.endsWith("link"))).toBe(false);
    await finish(world, RESUME, undefined, true);
  });
});

function createdWorld(): World {
  const world = createWorld();
  world.disk.writeFile(`${VICTIM}/p11.jpg`, "precious");
  return world;
}
