/** The one table of verbs. Help, parsing, completion and the manual are made from it. */
import { COPY_LOG_VERBS } from "./copy-log-switches.ts";
import { EXPECTED_MANIFEST_SWITCHES } from "./expected-manifest-switches.ts";
import { COMMON_SWITCHES, PREP_SWITCHES, SHOW_SECRETS } from "./prep-switches.ts";
import { nameKey, type SwitchSpec, type VerbSpec } from "./switch-table.ts";
import { TRANSFER_VERBS } from "./transfer-switches.ts";

const VERIFY_SWITCHES: readonly SwitchSpec[] = [
  ...EXPECTED_MANIFEST_SWITCHES,
  {
    name: "strict",
    kind: "flag",
    group: "Data",
    description: "exit 4 also when the manifest itself could not be checked",
  },
  {
    name: "workers",
    kind: "value",
    value: "count",
    group: "Copying",
    description: "worker threads (default: by the machine)",
  },
  ...COMMON_SWITCHES,
];

const NOT_TO_PLAN = ["abort-session", "list-drives", "list-copy-sessions"];

/** Those of prep-import; what cannot be planned is understood, to say so. */
const PLAN_SWITCHES: readonly SwitchSpec[] = PREP_SWITCHES.filter((spec) => spec.name !== "dry-run").map((spec) =>
  NOT_TO_PLAN.includes(spec.name) ? { ...spec, hidden: true } : spec,
);

export const VERBS: readonly VerbSpec[] = [
  {
    name: "prep-import",
    original: "PrepImport",
    summary: "prepare drives: plan, copy, hash, seal",
    description:
      "Prepares drives for an import job: plans which file goes on which drive, copies and hashes, writes the drive manifests and the journal. The same command again resumes after an interruption.",
    arguments: [],
    switches: PREP_SWITCHES,
    examples: [
      {
        text: "First session of a journal",
        line: "waimportexport PrepImport /j:trip.jrn /id:day#1 /InitialDriveSet:drives.csv /DataSet:data.csv",
      },
      {
        text: "Later session on the same drives",
        line: "waimportexport prep-import --journal trip.jrn --id day#2 --dataset more.csv",
      },
      {
        text: "More drives after 'does not fit'",
        line: "waimportexport prep-import --journal trip.jrn --id day#2 --additional-drive-set more.csv",
      },
      {
        text: "Resume, abort, list",
        line: "waimportexport PrepImport /j:trip.jrn /id:day#2 /ResumeSession",
      },
      { text: "", line: "waimportexport PrepImport /j:trip.jrn /id:day#2 /AbortSession" },
      { text: "", line: "waimportexport PrepImport /j:trip.jrn /ListDrives" },
    ],
    load: async () => (await import("./commands/prep-import.ts")).prepImport,
  },
  {
    name: "plan",
    summary: "show what prep-import would do; writes nothing",
    description: "Runs the planner and all checks of prep-import and shows the plan. Nothing is written anywhere.",
    arguments: [],
    switches: PLAN_SWITCHES,
    examples: [
      {
        text: "What goes where",
        line: "waimportexport plan /j:trip.jrn /id:day#1 /InitialDriveSet:drives.csv /DataSet:data.csv",
      },
      {
        text: "More drives, without temporary files",
        line: "waimportexport plan /j:trip.jrn /id:day#1 /AdditionalDriveSet:more.csv --exclude '**/*.tmp'",
      },
      {
        text: "For a script",
        line: "waimportexport plan /j:trip.jrn /id:day#1 /InitialDriveSet:drives.csv /DataSet:a.csv --json",
      },
    ],
    load: async () => (await import("./commands/plan.ts")).plan,
  },
  {
    name: "verify",
    summary: "read a prepared drive again and compare it with its manifest",
    description:
      "Reads the manifest against its hash, then every file, segment, metadata and properties file of the drive. Exit code 4 when anything differs.",
    arguments: [{ name: "drive", description: "letter, mount point or directory of the drive", required: true }],
    switches: VERIFY_SWITCHES,
    examples: [
      { text: "Against the journal", line: "waimportexport verify /mnt/usb1 --journal trip.jrn" },
      { text: "Against the drive's own file", line: "waimportexport verify G: --drive-info WD-123456.xml" },
      {
        text: "Against a hash that was written down",
        line: "waimportexport verify /mnt/usb1 --manifest-hash 0CC175B9C0F1B6A831C399E269772661 --strict",
      },
    ],
    load: async () => (await import("./commands/verify.ts")).verify,
  },
  {
    name: "drives",
    summary: "list the drives of this machine",
    description: "Lists the drives of this machine with serial, size, file system and what they hold.",
    arguments: [],
    switches: COMMON_SWITCHES,
    examples: [
      { text: "As a table", line: "waimportexport drives" },
      { text: "For a script", line: "waimportexport drives --json" },
      { text: "Without colours", line: "waimportexport drives --color never" },
    ],
    load: async () => (await import("./commands/drives.ts")).drives,
  },
  {
    name: "journal show",
    summary: "show the drives and sessions of a journal",
    description:
      "Shows the drives and sessions of a journal. BitLocker keys are masked unless --show-secrets is given.",
    arguments: [{ name: "journal", description: "the .jrn file", required: true }],
    switches: [SHOW_SECRETS, ...COMMON_SWITCHES],
    examples: [
      { text: "Keys masked", line: "waimportexport journal show trip.jrn" },
      { text: "With the keys, for the job", line: "waimportexport journal show trip.jrn --show-secrets" },
      { text: "For a script", line: "waimportexport journal show trip.jrn --json" },
    ],
    load: async () => (await import("./commands/journal-show.ts")).journalShow,
  },
  ...TRANSFER_VERBS,
  ...COPY_LOG_VERBS,
  {
    name: "init",
    summary: "write sample dataset.csv and driveset.csv",
    description:
      "Writes a sample dataset.csv and driveset.csv to start from, and explains their columns. Never overwrites.",
    arguments: [
      { name: "directory", description: "where to write them (default: current directory)", required: false },
    ],
    switches: COMMON_SWITCHES,
    examples: [
      { text: "Into the current directory", line: "waimportexport init" },
      { text: "Into another one", line: "waimportexport init prep" },
      { text: "For a script", line: "waimportexport init prep --json" },
    ],
    load: async () => (await import("./commands/init.ts")).init,
  },
];

/** Of first words with several verbs below them. */
export const GROUP_SUMMARIES: Readonly<Record<string, string>> = {
  transfer: "do a data centre's import or export: drive to account, account to drives",
};

/** Verbs of the original that this release does not have. */
export const ORIGINAL_VERBS_NOT_HERE: readonly string[] = ["RepairImport", "RepairExport", "PreviewExport", "Unlock"];

/** The verb that the first words of `argv` name, in either spelling, and how many words that took. */
export function findVerb(argv: readonly string[]): { verb: VerbSpec; words: number } | undefined {
  for (const verb of VERBS) {
    const words = verb.name.split(" ");
    const typed = argv.slice(0, words.length);
    if (typed.length === words.length && words.every((word, i) => nameKey(word) === nameKey(typed[i] ?? ""))) {
      return { verb, words: words.length };
    }
  }
  return undefined;
}
