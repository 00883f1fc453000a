/**
 * What a session keeps is damaged between two runs: the next run refuses it with a code that is no bug, or ends with
 * the drives exactly as they should be. Never with anything else.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { differenceOf, type Finished, finishedState, refuseUncoded, unbroken } from "./fault-loop.ts";
import { damaged } from "./mutate.ts";
import { createWorld, driveId, FIRST, RESUME, type World } from "./preparation-world.ts";

const RUNS = Number(process.env.FUZZ_RUNS ?? 60);
const seed = process.env.FUZZ_RUNS === undefined ? { seed: 4711 } : {};

async function interrupted(): Promise<{ base: World; expected: Finished }> {
  const base = createWorld({ large: true });
  const { finished: expected } = await unbroken({ name: "", base, command: FIRST });
  // Late enough for results of a file with two segments.
  base.faults.on("open").at("/drives/one/DriveManifest.xml.new").kill();
  await base.run(FIRST);
  base.faults.clear();
  return { base, expected };
}

describe("damage to", () => {
  it.each([
    "/trip/trip.jrn",
    "/trip/trip.jrn.lock",
    "/trip/trip.jrn.d/plan.json",
    "/trip/trip.jrn.d/plan-0.bin",
    "/trip/trip.jrn.d/plan-1.bin",
    "/trip/trip.jrn.d/unplaced-0.bin",
    "/trip/trip.jrn.d/results-1.bin",
    "/trip/trip.jrn.d/digests-1.bin",
    "/trip/trip.jrn.d/left-out.jsonl",
    "/trip/trip.jrn.d/0.metadata.xml",
    `/state/mock-drives/${driveId("/drives/one")}.json`,
  ])("%s is refused, or makes no difference", async (path) => {
    const { base, expected } = await interrupted();
    const good = base.disk.readFile(path);
    let finished = 0;
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(damaged(good), async (bytes) => {
        const world = base.fork();
        world.disk.writeFile(path, bytes);
        let result = await world.run(RESUME);
        refuseUncoded(result);
        // A drive that only shows the damage later is told, and the session stays open.
        if (result.outcome?.state === "drives-failed") result = await world.run(RESUME);
        if (result.outcome?.state !== "completed") {
          refused += 1;
          return;
        }
        finished += 1;
        expect(differenceOf(finishedState(world), expected)).toBeUndefined();
      }),
      { numRuns: RUNS, ...seed },
    );
    console.log(`damaged ${path}: finished ${finished}, refused ${refused}`);
    expect(finished + refused).toBeGreaterThan(0);
  });

  it("one letter of the plan is noticed", async () => {
    const { base } = await interrupted();
    const path = "/trip/trip.jrn.d/plan.json";
    base.disk.writeFile(path, base.disk.readFile(path).toString("utf8").replace("box/trip/", "box/trap/"));
    const { error } = await base.run(RESUME);
    expect(error).toMatchObject({ code: "STATE_DAMAGED", exitCode: 9 });
  });

  it("lost results after a manifest was announced are no reason for a shorter one", async () => {
    const base = createWorld();
    base.faults.on("rename").at("/drives/two/DriveManifest.xml.new").kill();
    await base.run(FIRST);
    base.faults.clear();
    base.disk.unlink("/trip/trip.jrn.d/results-1.bin");
    const before = [...base.disk.tree("/drives/two/day#1").keys()];
    const { error } = await base.run(RESUME);
    expect(error).toMatchObject({ code: "STATE_DAMAGED", exitCode: 9 });
    expect([...base.disk.tree("/drives/two/day#1").keys()]).toEqual(before);
  });
});
