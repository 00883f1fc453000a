import { ENDPOINT_SWITCHES } from "./endpoint-switches.ts";
import { COMMON_SWITCHES } from "./prep-switches.ts";
import type { SwitchSpec, VerbSpec } from "./switch-table.ts";

const DIAGNOSTICS_SWITCHES: readonly SwitchSpec[] = [
  {
    name: "job-name",
    kind: "value",
    value: "name",
    group: "Session",
    description: "part of the names of logs (default: transfer)",
  },
  {
    name: "diagnostics-path",
    kind: "value",
    value: "container",
    group: "Session",
    description: "container, or container/directory, of the logs (default: waimportexport)",
  },
  {
    name: "log-level",
    kind: "value",
    value: "level",
    group: "Session",
    description: "error (default), or verbose for both logs",
    choices: ["error", "verbose"],
  },
  {
    name: "backup-manifest",
    kind: "flag",
    group: "Session",
    description: "copy the manifest beside the logs, without credentials",
  },
  {
    name: "restart",
    kind: "flag",
    group: "Session",
    description: "forget what an interrupted transfer has done and begin again",
  },
  {
    name: "parallel",
    kind: "value",
    value: "count",
    group: "Copying",
    description: "requests under way at once (default: 16)",
  },
];

const IMPORT_SWITCHES: readonly SwitchSpec[] = [
  ...ENDPOINT_SWITCHES,
  {
    name: "journal",
    slash: "j",
    kind: "value",
    value: "file",
    group: "Data",
    description: "take the manifest's hash from this journal",
  },
  {
    name: "drive-info",
    kind: "value",
    value: "xml",
    group: "Data",
    description: "take the manifest's hash from this <DriveId>.xml",
  },
  { name: "manifest-hash", kind: "value", value: "md5", group: "Data", description: "the manifest's hash itself" },
  {
    name: "manifest-file",
    kind: "value",
    value: "path",
    group: "Data",
    description: "the manifest on the drive, from its root (default: \\DriveManifest.xml)",
  },
  ...DIAGNOSTICS_SWITCHES,
  ...COMMON_SWITCHES,
];

export const TRANSFER_VERBS: readonly VerbSpec[] = [
  {
    name: "transfer import",
    summary: "bring a prepared drive into an account, as a data centre does",
    description:
      "Does a data centre's import of a prepared drive into any blob endpoint: checks the manifest, sends every blob with its hashes checked, by its disposition, with metadata and properties, and writes the logs. The same command again goes on after an interruption. Exit code 3 when some blobs were not done.",
    arguments: [{ name: "drive", description: "letter, mount point or directory of the drive", required: true }],
    switches: IMPORT_SWITCHES,
    examples: [
      {
        text: "Into an account of public Azure",
        line: "waimportexport transfer import G: --journal trip.jrn --sn contosodata --sk-file key.txt",
      },
      {
        text: "Into one container, by a SAS",
        line: "waimportexport transfer import /mnt/usb1 /j:trip.jrn --sas-file sas.txt --sn contosodata",
      },
      {
        text: "Into a local emulator, for a script",
        line: "waimportexport transfer import drive1 /j:trip.jrn --connection-string-file local.txt --json",
      },
    ],
    load: async () => (await import("./commands/transfer-import.ts")).transferImportCommand,
  },
];
