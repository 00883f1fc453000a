/**
 * Same input, same bytes: whatever the number of workers, whichever drive is faster, however often the run is stopped,
 * manifests and journal records of drives are the same.
 */
import { afterEach, expect, it } from "vitest";
import type { CopyEngine } from "../../src/copy/copy-contract.ts";
import { createThreadedCopyEngine } from "../../src/copy/threaded-engine.ts";
import { seededRandom } from "../faults/seeded-random.ts";
import { bytesOf, Workbench } from "./workbench.ts";

const SEGMENT_BYTES = 4 * 1024 * 1024;

const benches: Workbench[] = [];
afterEach(() => {
  for (const bench of benches.splice(0)) bench.remove();
});

function newBench(): Workbench {
  const bench = new Workbench();
  benches.push(bench);
  for (const name of ["a", "b", "c"]) bench.addDrive(name, 30_000_000);
  for (let n = 0; n < 240; n++) bench.add(`dir-${n % 7}/sub-${n % 3}/file ${n}.bin`, (n * 7919) % 60_000);
  bench.add("dir-1/two segments.bin", SEGMENT_BYTES + 1);
  bench.add("dir-5/large.bin", 3 * SEGMENT_BYTES);
  bench.write("disk.vhd", Buffer.concat([Buffer.alloc(SEGMENT_BYTES), bytesOf("disk", 1024)]));
  bench.writeDataset([
    { base: `${bench.source}/`, to: "box/", disposition: "overwrite" },
    { base: `${bench.path}/disk.vhd`, to: "images/disk.vhd", type: "PageBlob" },
  ]);
  bench.writeDriveset(["a", "b", "c"]);
  return bench;
}

interface Way {
  workers: number;
  ioMode: "sequential" | "parallel";
  /** Results until the run is stopped, by run; the last run is not stopped. */
  stops: readonly number[];
}

/** The manifests of all drives, and how often the run was really stopped. */
async function prepare({ workers, ioMode, stops }: Way): Promise<{ manifests: string[]; stopped: number }> {
  const bench = newBench();
  const call = bench.first({ options: { workers, ioMode, distribute: "spread" } });
  let stopped = 0;
  for (const stop of [...stops, Number.POSITIVE_INFINITY]) {
    const controller = new AbortController();
    const { outcome } = await bench.run(call, {
      signal: controller.signal,
      ports: { copyEngine: stoppingAfter(stop, controller) },
    });
    if (outcome.state !== "interrupted") break;
    stopped += 1;
  }
  return { manifests: ["a", "b", "c"].map((name) => bench.manifest(name)), stopped };
}

function stoppingAfter(results: number, controller: AbortController): CopyEngine {
  const engine = createThreadedCopyEngine({ processors: 2 });
  let left = results;
  return (request) =>
    engine({
      ...request,
      onResults: (drive, answers) => {
        request.onResults(drive, answers);
        left -= answers.length;
        if (left <= 0) controller.abort();
      },
    });
}

const UNBROKEN: Way = { workers: 1, ioMode: "sequential", stops: [] };

it.each([
  [2, "sequential"],
  [2, "parallel"],
  [5, "parallel"],
] as const)("with %d workers, %s", async (workers, ioMode) => {
  const { manifests } = await prepare(UNBROKEN);
  for (const manifest of manifests) expect(manifest).toContain("<Block ");
  expect((await prepare({ workers, ioMode, stops: [] })).manifests).toEqual(manifests);
});

it("stopped again and again, with another number of workers each time", async () => {
  const { manifests } = await prepare(UNBROKEN);
  let stopped = 0;
  for (let seed = 1; seed <= 4; seed++) {
    const random = seededRandom(seed);
    const stops = Array.from({ length: 6 }, () => 1 + Math.floor(random() * 25));
    const run = await prepare({ workers: 1 + (seed % 3), ioMode: seed % 2 === 0 ? "parallel" : "sequential", stops });
    stopped += run.stopped;
    expect(run.manifests, `seed ${seed}`).toEqual(manifests);
  }
  expect(stopped).toBeGreaterThan(5);
});
