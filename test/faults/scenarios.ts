/** The commands that the loops over every call run, each with the machine as it is before. */
import type { Scenario } from "./fault-loop.ts";
import {
  ABORT_FIRST,
  ABORT_LATER,
  ADD_DRIVES,
  createWorld,
  DRIVES,
  FIRST,
  giveUp,
  KIB,
  LATER,
  MIB,
  RESUME,
  type World,
  type WorldOptions,
} from "./preparation-world.ts";

type Make = (options: WorldOptions) => Promise<Scenario>;

/** A session from nothing. */
export const firstSession: Make = async (options) => ({
  name: "a first session",
  base: createWorld(options),
  command: FIRST,
});

/** Onto drives that have a manifest already, which is extended. */
export const laterSession: Make = async (options) => {
  const base = createWorld(options);
  await mustEnd(base, FIRST, "completed");
  return { name: "a later session", base, command: LATER };
};

/** Of a run that was killed in the middle of copying. */
export const resumedSession: Make = async (options) => {
  const base = createWorld(options);
  await killAt(base, FIRST, (world) => world.faults.on("open").at("/drives/two/day#1/0/3/").after(1).kill());
  return { name: "a resumed session", base, command: RESUME };
};

/** Of a run that was killed when the first of two drives had its manifest in place, but the journal did not say so. */
export const resumedSealing: Make = async (options) => {
  const base = createWorld(options);
  await killAt(base, FIRST, (world) => world.faults.on("rename").at("DriveManifest.xml.new").killAfter());
  return { name: "a resumed sealing", base, command: FIRST };
};

/** A third drive for what did not fit. */
export const addedDrive: Make = async (options) => {
  const base = createWorld({ ...options, large: false, driveBytes: [MIB + 100 * KIB, MIB + 60 * KIB, 16 * MIB] });
  await mustEnd(base, FIRST, "no-space");
  return { name: "adding a drive", base, command: ADD_DRIVES };
};

/** A drive dies while it is written; its files go onto a third one. */
export const givenUpDrive: Make = async (options) => {
  const base = createWorld(options);
  await killAt(base, FIRST, (world) => world.faults.on("open").at("/drives/two/day#1/0/3/").after(1).kill());
  base.disk.unmount("/drives/two");
  base.disk.rmdir("/drives/two");
  base.disk.flushAll();
  return { name: "giving up a drive", base, command: giveUp(DRIVES[1]) };
};

export const abortedFirst: Make = async (options) => {
  const base = createWorld(options);
  await killAt(base, FIRST, (world) => world.faults.on("open").at("/drives/two/day#1/0/3/").after(1).kill());
  return { name: "aborting a first session", base, command: ABORT_FIRST };
};

/** One drive has been sealed by the session that is rolled back. */
export const abortedLater: Make = async (options) => {
  const base = createWorld(options);
  await mustEnd(base, FIRST, "completed");
  await killAt(base, LATER, (world) => world.faults.on("rename").at("DriveManifest.xml.new").killAfter());
  return { name: "aborting a later session", base, command: ABORT_LATER };
};

async function mustEnd(world: World, command: Scenario["command"], state: string): Promise<void> {
  const { outcome, error } = await world.run(command);
  if (outcome?.state !== state) throw new Error(`the scenario's first run ended ${outcome?.state}`, { cause: error });
  world.disk.flushAll();
}

async function killAt(world: World, command: Scenario["command"], arm: (world: World) => void): Promise<void> {
  arm(world);
  await world.run(command);
  if (!world.faults.isDead) throw new Error("the scenario's first run was not killed");
  world.faults.clear();
  world.disk.flushAll();
}
