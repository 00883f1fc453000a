/**
 * A small fixed preparation, kept as files under fixtures/golden/preparation: the plan as shown and as JSON, both
 * manifests after two sessions, and the journal. `UPDATE_GOLDEN=1` writes them.
 */
import { afterEach, beforeEach, expect, it } from "vitest";
import type { PlanSummary } from "../../src/prep/prep-contract.ts";
import { planData, planText } from "../../src/ui/plan-text.ts";
import { describeTerminal } from "../../src/ui/terminal.ts";
import { expectGolden } from "../golden.ts";
import { Workbench } from "./workbench.ts";

const GOLDEN = "fixtures/golden/preparation";
const SEGMENT_BYTES = 4_194_304;

let bench: Workbench;
beforeEach(() => {
  bench = new Workbench();
});
afterEach(() => bench.remove());

/** The workbench's own path, and what follows from it, taken out. */
function normal(text: string): string {
  return text
    .replaceAll(bench.path, "/bench")
    .replace(/(?<=^(?:Offset|Length): )\d+$/gm, "0")
    .replace(/(?<=^Sha256: )[0-9a-fA-F]{64}$/gm, "0".repeat(64));
}

it("gives these files", async () => {
  bench.addDrive("first", 5_200_000);
  bench.addDrive("second", 4_600_000);
  bench.addDrive("spare", 30_000);
  bench.add("readme.txt", "hello, import\n");
  bench.add("empty", "");
  bench.add("photos/lake & shore.bin", 5_000_000);
  bench.add("photos/señal <1>.txt", "1");
  bench.add("photos/年次.txt", "2");
  bench.add("control\u0001character", "not done");
  bench.write("disk.vhd", Buffer.concat([Buffer.alloc(SEGMENT_BYTES, 0), Buffer.alloc(512, 0x50)]));
  bench.write("meta.xml", '<?xml version="1.0" encoding="UTF-8"?>\n<Metadata><Project>alpha</Project></Metadata>\n');
  bench.writeDataset([
    { base: `${bench.source}/`, to: "survey/2024/", metadata: `${bench.path}/meta.xml`, disposition: "overwrite" },
    { base: `${bench.path}/disk.vhd`, to: "$root/disk0.vhd", type: "PageBlob", disposition: "no-overwrite" },
  ]);
  bench.writeDriveset(["first", "second", "spare"]);
  let plan: PlanSummary | undefined;
  const { outcome } = await bench.run(bench.first({ sessionId: "session#1" }), {
    onEvent: (event) => {
      if (event.type === "plan") plan = event.plan;
    },
  });
  expect(outcome).toMatchObject({ state: "completed", exitCode: 3, files: 6 });
  bench.write("later/more.txt", "more");
  const dataSetPath = bench.writeDataset(
    [{ base: `${bench.path}/later/`, to: "survey/later/" }],
    `${bench.path}/second.csv`,
  );
  expect((await bench.run({ sessionId: "session#2", dataSetPath })).outcome.exitCode).toBe(0);

  if (plan === undefined) throw new Error("no plan was shown");
  // Before it is laid out: the width of a column follows from the paths in it.
  const shown = JSON.parse(normal(JSON.stringify(plan))) as PlanSummary;
  expectGolden(`${GOLDEN}/plan.txt`, planText(shown, describeTerminal({ write: () => true }, {}, "never")));
  expectGolden(`${GOLDEN}/plan.json`, `${JSON.stringify(planData(shown), undefined, 2)}\n`);
  for (const drive of outcome.drives) {
    const name = drive.place.slice(drive.place.lastIndexOf("/") + 1);
    expectGolden(`${GOLDEN}/${name}-DriveManifest.xml`, bench.manifest(name));
    expectGolden(`${GOLDEN}/${drive.driveId}.xml`, normal(bench.read(`${drive.driveId}.xml`)));
  }
  expectGolden(`${GOLDEN}/session.jrn`, normal(bench.read("trip.jrn")));
});
