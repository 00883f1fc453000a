// The parts of a preparation on their own: MD5 kernel, start-up, walk, manifest. Each returns rows for the table of parts:
// name, own figure, the peer's figure, ratio, goal.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { makeDataSet } from "./data-sets.js";
import { isInstalled, measure, median } from "./measure.js";

export const PARTS = { kernel, "start-up": startUp, walk, manifest };

function kernel({ root, rounds }) {
  const own = [];
  const peer = [];
  for (let round = 0; round < rounds; round++) {
    own.push(Number(output(process.execPath, [join(root, "bench/probes/kernel.js"), join(root, "dist/md5.wasm")])));
    if (isInstalled("openssl")) peer.push(opensslSpeed());
  }
  const [mine, theirs] = [median(own), peer.length > 0 ? median(peer) : undefined];
  const ratio = theirs === undefined ? "-" : `${(mine / theirs).toFixed(2)} x as fast`;
  return [["MD5 kernel, one core", `${mine} MB/s`, `openssl speed: ${theirs ?? "-"} MB/s`, ratio, "at least 4 x"]];
}

function opensslSpeed() {
  const text = output("openssl", ["speed", "-evp", "md5", "-bytes", "4194304", "-seconds", "3"]);
  return Math.round(Number(/([\d.]+)k\s*$/.exec(text)?.[1]) / 1000);
}

function startUp({ root, rounds }) {
  const own = [];
  const bare = [];
  for (let round = 0; round < 4 * rounds; round++) {
    bare.push(measure(process.execPath, ["-e", "0"]).seconds);
    own.push(measure(process.execPath, [join(root, "bin/waimportexport.js"), "--help"]).seconds);
  }
  const more = 1000 * (median(own) - median(bare));
  return [
    [
      "--help",
      milliseconds(median(own)),
      `node -e 0: ${milliseconds(median(bare))}`,
      `${more.toFixed(0)} ms more`,
      "at most 60 ms more",
    ],
  ];
}

async function walk({ tmpfs, rounds }) {
  return inWorkDirectory(tmpfs, async (work) => {
    const source = join(work, "source");
    makeDataSet(source, Array(1_000_000).fill(0));
    const probe = await bundle(work, "walk");
    const own = [];
    const peer = [];
    for (let round = 0; round < rounds; round++) {
      own.push(measure(process.execPath, [probe, source]));
      peer.push(measure("find", [source, "-type", "f", "-fprint", "/dev/null"]).seconds);
    }
    const [mine, theirs] = [median(own.map(({ seconds }) => seconds)), median(peer)];
    return [
      [
        "walk of 1,000,000 files, with their sizes and times",
        `${mine.toFixed(2)} s, ${peak(own)}`,
        `find -type f, names only: ${theirs.toFixed(2)} s`,
        (mine / theirs).toFixed(2),
        "",
      ],
    ];
  });
}

async function manifest({ tmpfs, rounds }) {
  return inWorkDirectory(tmpfs, async (work) => {
    const probe = await bundle(work, "manifest");
    const file = join(work, "DriveManifest.xml");
    const runs = { write: [], read: [] };
    for (let round = 0; round < rounds; round++) {
      for (const action of ["write", "read"]) runs[action].push(measure(process.execPath, [probe, action, file]));
    }
    const figure = (list) => `${median(list.map(({ seconds }) => seconds)).toFixed(2)} s, ${peak(list)}`;
    return [
      ["manifest of 1,000,000 blobs: write", figure(runs.write), "", "", "at most 2 s, 128 MiB"],
      ["manifest of 1,000,000 blobs: read", figure(runs.read), "", "", "at most 3.5 s, 128 MiB"],
    ];
  });
}

/** The probe as one file, as the command is shipped. */
async function bundle(work, name) {
  const outfile = join(work, `${name}.mjs`);
  const entry = new URL(`./probes/${name}.ts`, import.meta.url).pathname;
  await build({ entryPoints: [entry], outfile, bundle: true, format: "esm", platform: "node", logLevel: "warning" });
  return outfile;
}

async function inWorkDirectory(parent, action) {
  mkdirSync(parent, { recursive: true });
  const work = mkdtempSync(join(parent, "waimportexport-bench-"));
  try {
    return await action(work);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function output(command, args) {
  const { stdout } = spawnSync(command, args, { encoding: "utf8" });
  return stdout.trim();
}

function peak(runs) {
  const values = runs.map(({ peakMiB }) => peakMiB).filter((value) => value !== undefined);
  return values.length === 0 ? "peak memory unknown" : `${Math.round(Math.max(...values))} MiB`;
}

function milliseconds(seconds) {
  return `${(1000 * seconds).toFixed(0)} ms`;
}
