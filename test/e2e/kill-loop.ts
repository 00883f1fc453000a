/**
 * Kills a preparation of a mixed tree again and again:
 *
 *   .ci/long kills [--kills 500] [--seed 1] [--files 3000] [--large-mib 64,200] [--bandwidth-limit 400MiB]
 *
 * Prints the number of kills and what differed; exit code 1 when anything did.
 */
import { parseArgs } from "node:util";
import { killRuns } from "./kill-runs.ts";
import { createWorkspace } from "./run-cli.ts";

const MIB = 1024 * 1024;

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "500" },
    seed: { type: "string", default: String(Date.now() % 100_000) },
    files: { type: "string", default: "3000" },
    "large-mib": { type: "string", default: "64,200" },
    "bandwidth-limit": { type: "string", default: "400MiB" },
  },
});

const workspace = createWorkspace();
process.stdout.write(`seed ${values.seed}, in ${workspace.path}\n`);
const { kills, sessions, tornLocks, problems } = await killRuns(
  workspace,
  {
    files: Number(values.files),
    smallBytes: 40_000,
    large: values["large-mib"].split(",").map((mib) => Number(mib) * MIB),
    bandwidthLimit: values["bandwidth-limit"],
    kills: Number(values.kills),
    seed: Number(values.seed),
  },
  (count) => {
    if (count % 50 === 0) process.stdout.write(`${count} kills\n`);
  },
);
process.stdout.write(
  `${kills} kills over ${sessions} sessions, ${tornLocks} waits for a lock: ${problems.length === 0 ? "all the same" : "differs"}\n`,
);
for (const problem of problems) process.stdout.write(`  ${problem}\n`);
if (problems.length === 0) workspace.remove();
process.exitCode = problems.length === 0 ? 0 : 1;
