// `npm run bench`: this tool's whole preparation against the ways others copy trees, on memory and on disk, and its parts
// on their own. Writes a table in Markdown. Takes about an hour with all data sets; needs 16 GiB free on each medium.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { installedContenders, missingPeers, OWN, versions } from "./contenders.js";
import { DATA_SETS, makeDataSet } from "./data-sets.js";
import { measure, median } from "./measure.js";
import { PARTS } from "./parts.js";

const USAGE = `node bench/run.js [options]
  --rounds <n>       rounds per command (5)
  --only <text>      only data sets, media and parts whose name contains this; may be given several times
  --tmpfs <dir>      a directory in memory (/dev/shm)
  --disk <dir>       a directory on disk (/var/tmp)
  --out <file>       where the table goes (dist/bench.md)
data sets: ${Object.keys(DATA_SETS).join(", ")}; growth
media: tmpfs, disk; parts: ${Object.keys(PARTS).join(", ")}
`;

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const options = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    only: { type: "string", multiple: true, default: [] },
    tmpfs: { type: "string", default: "/dev/shm" },
    disk: { type: "string", default: "/var/tmp" },
    out: { type: "string", default: join(root, "dist", "bench.md") },
    help: { type: "boolean", default: false },
  },
}).values;

if (options.help) {
  process.stdout.write(USAGE);
} else {
  await main();
}

async function main() {
  const rounds = Number(options.rounds);
  const sections = [heading()];
  for (const medium of ["tmpfs", "disk"]) {
    for (const name of Object.keys(DATA_SETS)) {
      if (!isWanted(name, medium)) continue;
      sections.push(compare(name, medium, rounds));
      write(sections);
    }
  }
  if (isWanted("growth", "tmpfs")) sections.push(growth(rounds));
  const parts = [];
  for (const [name, part] of Object.entries(PARTS)) {
    if (!isWanted(name, "parts")) continue;
    say(`${name} ...`);
    parts.push(...(await part({ root, rounds, tmpfs: options.tmpfs })));
  }
  if (parts.length > 0) {
    sections.push(`## Parts\n\n${table(["part", "this tool", "against", "ratio", "goal"], parts)}`);
  }
  write(sections);
  process.stdout.write(`\n${sections.join("\n\n")}\n\nwritten to ${options.out}\n`);
}

/** Every wish must be met by the name or the medium. */
function isWanted(name, medium) {
  return options.only.every((wish) => name.includes(wish) || medium.includes(wish));
}

/** One data set on one medium: all commands in turn, round after round, so that slow moments of the machine hit all. */
function compare(name, medium, rounds) {
  return inWorkDirectory(options[medium], (directory) => {
    say(`${name} on ${medium}: making the source ...`);
    const source = join(directory, "source");
    makeDataSet(source, DATA_SETS[name].sizes());
    const contenders = installedContenders();
    const runs = new Map(contenders.map((contender) => [contender.name, []]));
    // The round before the first warms the page cache and is not counted.
    for (let round = 0; round <= rounds; round++) {
      for (const contender of contenders) {
        const run = runOnce(contender, source, join(directory, "work"), medium);
        if (round > 0) runs.get(contender.name).push(run);
        say(`${name} on ${medium}, round ${round}/${rounds}: ${contender.name} ${run.seconds.toFixed(2)} s`);
      }
    }
    return `## ${name} on ${medium}\n\n${comparison(runs)}`;
  });
}

function runOnce(contender, source, work, medium) {
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work);
  const { command, args, env } = contender.run(source, work);
  // What an earlier command left to be written must not be charged to this one.
  if (medium === "disk") measure("sync", []);
  const run = measure(command, args, env);
  rmSync(work, { recursive: true, force: true });
  return run;
}

function comparison(runs) {
  const own = runs.get(OWN).map(({ seconds }) => seconds);
  const rows = [...runs].map(([name, list]) => {
    const seconds = list.map((run) => run.seconds);
    const ratios = seconds.map((theirs, round) => own[round] / theirs);
    return [
      name,
      `${median(seconds).toFixed(2)} s (${Math.min(...seconds).toFixed(2)}-${Math.max(...seconds).toFixed(2)})`,
      name === OWN
        ? ""
        : `${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)}-${Math.max(...ratios).toFixed(2)})`,
      figure(list, "cpuSeconds", (value) => `${value.toFixed(2)} s`),
      figure(list, "peakMiB", (value) => `${Math.round(value)} MiB`),
    ];
  });
  return table(["command", "median (spread)", "this tool takes x of it (spread)", "CPU", "peak memory"], rows);
}

/** Time and memory per file as the number of files grows. */
function growth(rounds) {
  const rows = [10_000, 100_000, 1_000_000].map((files) =>
    inWorkDirectory(options.tmpfs, (directory) => {
      say(`growth: ${files} files ...`);
      const source = join(directory, "source");
      makeDataSet(source, Array(files).fill(1024));
      const own = installedContenders().find(({ name }) => name === OWN);
      const runs = Array.from({ length: rounds }, () => runOnce(own, source, join(directory, "work"), "tmpfs"));
      const seconds = median(runs.map((run) => run.seconds));
      return [
        files.toLocaleString("en"),
        `${seconds.toFixed(2)} s`,
        `${((1e6 * seconds) / files).toFixed(1)} µs`,
        figure(runs, "peakMiB", (value) => `${Math.round(value)} MiB`),
      ];
    }),
  );
  return `## Growth, files of 1 KiB on tmpfs\n\n${table(["files", "median", "per file", "peak memory"], rows)}`;
}

function figure(runs, key, show) {
  const values = runs.map((run) => run[key]).filter((value) => value !== undefined);
  return values.length === 0 ? "unknown" : show(median(values));
}

function inWorkDirectory(parent, action) {
  mkdirSync(parent, { recursive: true });
  const directory = mkdtempSync(join(parent, "waimportexport-bench-"));
  try {
    return action(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function heading() {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const missing = missingPeers();
  return [
    `# Benchmark of waimportexport ${version}, ${new Date().toISOString().slice(0, 10)}`,
    "",
    `${cpus().length} x ${cpus()[0]?.model ?? "unknown processor"}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform} ${release()}.`,
    `${options.rounds} rounds; commands in turn; ratios are taken round by round.`,
    "",
    ...versions().map((line) => `- ${line}`),
    ...(missing.length > 0 ? ["", `Not installed, and so not compared: ${missing.join(", ")}.`] : []),
  ].join("\n");
}

function table(head, rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function write(sections) {
  mkdirSync(dirname(options.out), { recursive: true });
  writeFileSync(options.out, `${sections.join("\n\n")}\n`);
}

function say(text) {
  process.stderr.write(`${text}\n`);
}
