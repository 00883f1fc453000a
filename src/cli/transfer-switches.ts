import { ENDPOINT_SWITCHES } from "./endpoint-switches.ts";
import { EXPECTED_MANIFEST_SWITCHES } from "./expected-manifest-switches.ts";
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
  {
    name: "tries",
    kind: "value",
    value: "count",
    group: "Copying",
    description: "tries of a request before the network counts as down (default: 6)",
  },
];

const IMPORT_SWITCHES: readonly SwitchSpec[] = [
  ...ENDPOINT_SWITCHES,
  ...EXPECTED_MANIFEST_SWITCHES,
  ...DIAGNOSTICS_SWITCHES,
  ...COMMON_SWITCHES,
];

const EXPORT_SWITCHES: readonly SwitchSpec[] = [
  ...ENDPOINT_SWITCHES,
  {
    name: "blob",
    kind: "repeatable",
    value: "path",
    group: "Data",
    description: "container/name of a blob, with its snapshots; may be repeated",
  },
  {
    name: "prefix",
    kind: "repeatable",
    value: "prefix",
    group: "Data",
    description: "/ for everything, /box/ for a container, /box/pre for names in it; may be repeated",
  },
  {
    name: "blob-list",
    slash: "ExportBlobListFile",
    kind: "value",
    value: "xml",
    group: "Data",
    description: "blob list file: blobs with or without snapshots, single snapshots, prefixes",
  },
  {
    name: "incomplete-list",
    kind: "value",
    value: "xml",
    group: "Data",
    description: "write the blobs that were not exported to this blob list too",
  },
  {
    name: "drive",
    kind: "repeatable",
    value: "place",
    group: "Drives",
    description: "letter, mount point or directory of a drive; may be repeated",
  },
  {
    name: "drive-capacity",
    kind: "repeatable",
    value: "drive=size",
    group: "Drives",
    description: "use at most this much of a drive, as in /mnt/a=500GiB",
  },
  {
    name: "drive-id",
    kind: "repeatable",
    value: "path=id",
    group: "Drives",
    description: "the id of a drive whose serial cannot be read",
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
  {
    name: "transfer export",
    summary: "bring chosen blobs of an account onto drives, as a data centre does",
    description:
      "Does a data centre's export onto drives that are ready to be written: chooses blobs, packs them onto the drives, writes every blob with its properties and metadata, a manifest per drive and the logs. The same command again goes on after an interruption. Exit code 3 when some blobs were not exported.",
    arguments: [],
    switches: EXPORT_SWITCHES,
    examples: [
      {
        text: "One container onto two drives",
        line: "waimportexport transfer export --prefix /box/ --drive G: --drive H: --sn contosodata --sk-file key.txt",
      },
      {
        text: "By a blob list",
        line: "waimportexport transfer export --blob-list list.xml --drive /mnt/usb1 --sn contosodata --sas-file sas.txt",
      },
      {
        text: "What did not fit before",
        line: "waimportexport transfer export --blob-list left.xml --drive I: --connection-string-file acct.txt",
      },
    ],
    load: async () => (await import("./commands/transfer-export.ts")).transferExportCommand,
  },
];
