// What is compared: this tool's whole preparation, and the ways others copy a tree, with and without hashing it. Each
// gets a source directory and a fresh work directory, and leaves the copy in `<work>/target`.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { firstLine, isInstalled } from "./measure.js";

const tool = join(dirname(fileURLToPath(import.meta.url)), "..", "bin", "waimportexport.js");

export const OWN = "waimportexport";

const CONTENDERS = {
  [OWN]: { needs: [], run: prepImport },
  "cp -r": { needs: ["cp"], run: shell('cp -r "$1" "$2"') },
  "cp -r + hashdeep": {
    needs: ["cp", "hashdeep"],
    run: shell('cp -r "$1" "$2" && hashdeep -c md5 -p 4m -r "$2" > /dev/null'),
  },
  "rsync -a": { needs: ["rsync"], run: shell('rsync -a "$1/" "$2"') },
  "rclone + md5sum": {
    needs: ["rclone", "md5sum"],
    run: shell('rclone copy --config "" "$1" "$2" && find "$2" -type f -print0 | xargs -0 -P2 -n64 md5sum > /dev/null'),
  },
};

const VERSIONS = {
  node: () => process.version,
  cp: () => firstLine("cp", ["--version"]),
  hashdeep: () => firstLine("hashdeep", ["-V"]),
  rsync: () => firstLine("rsync", ["--version"]),
  rclone: () => firstLine("rclone", ["version"]),
  openssl: () => firstLine("openssl", ["version"]),
  find: () => firstLine("find", ["--version"]),
};

/** Where the peers come from, by Debian and Homebrew package. */
const PACKAGES = {
  hashdeep: "hashdeep (md5deep)",
  rsync: "rsync",
  rclone: "rclone",
  openssl: "openssl",
  md5sum: "coreutils",
};

export function installedContenders() {
  return Object.entries(CONTENDERS)
    .filter(([, { needs }]) => needs.every(isInstalled))
    .map(([name, { run }]) => ({ name, run }));
}

export function missingPeers() {
  const commands = new Set(Object.values(CONTENDERS).flatMap(({ needs }) => needs));
  commands.add("openssl");
  return [...commands]
    .filter((command) => !isInstalled(command))
    .map((command) => `${command} (package ${PACKAGES[command] ?? command})`);
}

export function versions() {
  return Object.entries(VERSIONS)
    .filter(([command]) => command === "node" || isInstalled(command))
    .map(([command, version]) => `${command}: ${version()}`);
}

function shell(script) {
  return (source, work) => ({ command: "sh", args: ["-c", script, "sh", source, join(work, "target")] });
}

function prepImport(source, work) {
  const target = join(work, "target");
  mkdirSync(target);
  writeFileSync(
    join(work, "dataset.csv"),
    `BasePath,DstBlobPathOrPrefix,BlobType,Disposition,MetadataFile,PropertiesFile\n"${source}/","data/",BlockBlob,overwrite,None,None\n`,
  );
  writeFileSync(
    join(work, "driveset.csv"),
    `DriveLetter,FormatOption,SilentOrPromptOnFormat,Encryption,ExistingBitLockerKey\n${target},AlreadyFormatted,SilentMode,Encrypt,\n`,
  );
  return {
    command: process.execPath,
    args: [
      tool,
      "PrepImport",
      `/j:${join(work, "b.jrn")}`,
      "/id:bench-1",
      `/InitialDriveSet:${join(work, "driveset.csv")}`,
      `/DataSet:${join(work, "dataset.csv")}`,
      "/silentmode",
    ],
    env: { XDG_STATE_HOME: join(work, "state") },
  };
}
