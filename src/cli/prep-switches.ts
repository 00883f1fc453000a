/** The switches of the main job: those of the original's second version, ours beyond it, and the first version's. */
import type { SwitchSpec } from "./switch-table.ts";

const flag = (
  name: string,
  group: SwitchSpec["group"],
  description: string,
  more: Partial<SwitchSpec> = {},
): SwitchSpec => ({
  name,
  kind: "flag",
  group,
  description,
  ...more,
});

const value = (
  name: string,
  placeholder: string,
  group: SwitchSpec["group"],
  description: string,
  more: Partial<SwitchSpec> = {},
): SwitchSpec => ({ name, kind: "value", value: placeholder, group, description, ...more });

/** In every verb. */
export const COMMON_SWITCHES: readonly SwitchSpec[] = [
  flag("json", "Output", "one JSON object per line on stdout, nothing else there"),
  flag("quiet", "Output", "no progress and no notices; warnings and errors stay"),
  value("color", "when", "Output", "colours: auto, always or never", { choices: ["auto", "always", "never"] }),
  flag("help", "Output", "show this help", { slash: "?" }),
];

export const SHOW_SECRETS = flag("show-secrets", "Output", "print BitLocker keys in full instead of their last group");

/** The documented parameters of PrepImport, second version. */
export const SESSION_SWITCHES: readonly SwitchSpec[] = [
  value("journal", "file", "Session", "the journal; one for a set of drives", { slash: "j" }),
  value("id", "session", "Session", "session id: 3 to 30 letters, digits, '_', '-', '#'", { slash: "id" }),
  flag("resume-session", "Session", "go on with the last session after an interruption", { slash: "ResumeSession" }),
  flag("abort-session", "Session", "roll the last, unfinished session back", { slash: "AbortSession" }),
  flag("list-drives", "Session", "list the drives of the journal", { slash: "ListDrives" }),
  flag("list-copy-sessions", "Session", "list the sessions of the journal", { slash: "ListCopySessions" }),
  flag("silent-mode", "Session", "start without asking; counts as the confirmation to format", { slash: "silentmode" }),
  value("logdir", "directory", "Session", "write a log per run here; give it once for a journal (default: none)", {
    slash: "logdir",
  }),
  flag("break-lock", "Session", "take the lock of a run on another machine that is gone"),
  value("dataset", "csv", "Data", "what to copy", { slash: "DataSet" }),
  value("initial-drive-set", "csv", "Drives", "the drives of a new journal", { slash: "InitialDriveSet" }),
  value("additional-drive-set", "csv", "Drives", "further drives", { slash: "AdditionalDriveSet" }),
  value("sk", "key", "Secrets", "account key; visible to others on this machine, prefer --sk-file", {
    slash: "sk",
    secret: true,
  }),
];

/** Beyond the original. */
export const OWN_PREP_SWITCHES: readonly SwitchSpec[] = [
  {
    name: "include",
    kind: "repeatable",
    value: "glob",
    group: "Data",
    description: "only files whose path in their row matches; may be repeated",
  },
  {
    name: "exclude",
    kind: "repeatable",
    value: "glob",
    group: "Data",
    description: "not files whose path in their row matches; may be repeated, wins over --include",
  },
  value("links", "how", "Data", "links, sockets and devices: notice (default), or fail: exit code 3", {
    choices: ["notice", "fail"],
  }),
  value(
    "disposition",
    "rule",
    "Data",
    "on a name conflict, for all rows: rename, no-overwrite or overwrite (case-sensitive)",
    {
      slash: "Disposition",
      choices: ["rename", "no-overwrite", "overwrite"],
      caseSensitive: true,
    },
  ),
  flag(
    "large-blocks",
    "Data",
    "allow files beyond 50,000 blocks of 4 MiB, with larger blocks (beyond the 2014 format)",
  ),
  value("distribute", "how", "Drives", "fill: as few drives as possible (default); spread: all drives busy", {
    choices: ["fill", "spread"],
  }),
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
  {
    name: "image-size",
    kind: "repeatable",
    value: "path=size",
    group: "Drives",
    description: "make the drive image of this path with this size, as in /data/disk1.img=500GiB",
  },
  {
    name: "give-up-drive",
    kind: "repeatable",
    value: "id",
    group: "Drives",
    description: "with /AdditionalDriveSet: this drive is lost, plan its files again",
  },
  {
    name: "confirm-drive",
    kind: "repeatable",
    value: "serial",
    group: "Drives",
    description: "confirms beforehand that this drive is formatted",
  },
  value("encryption", "how", "Drives", "auto (default); mock: rehearse, the service will refuse the drive", {
    choices: ["auto", "mock"],
  }),
  flag("require-encryption", "Drives", "refuse drives that would not be encrypted"),
  flag("allow-unencrypted-secrets", "Secrets", "allow a credential in the manifest of a drive that is not encrypted"),
  value("sk-file", "file", "Secrets", "read the account key from this file, '-' for stdin (or set WAIMPORTEXPORT_SK)"),
  value("io-mode", "how", "Copying", "auto (default), sequential or parallel writing of each drive", {
    choices: ["auto", "sequential", "parallel"],
  }),
  value("workers", "count", "Copying", "worker threads (default: by the machine)"),
  value("bandwidth-limit", "size", "Copying", "at most this much per second, as in 200MiB"),
  flag("verify", "Copying", "read everything back from the drives before they are sealed"),
  flag("dry-run", "Session", "plan and check only, write nothing (same as the verb 'plan')"),
];

/** First version: one directory or file onto one drive per call. */
export const V1_SWITCHES: readonly SwitchSpec[] = [
  value("srcdir", "directory", "Version 1 form", "source directory", { slash: "srcdir", hidden: true }),
  value("srcfile", "file", "Version 1 form", "source file", { slash: "srcfile", hidden: true }),
  value("dstdir", "prefix", "Version 1 form", "destination prefix", { slash: "dstdir", hidden: true }),
  value("dstblob", "blob", "Version 1 form", "destination blob", { slash: "dstblob", hidden: true }),
  value("t", "drive", "Version 1 form", "target drive", { slash: "t", hidden: true }),
  value("csas", "sas", "Version 1 form", "container SAS", { slash: "csas", secret: true, hidden: true }),
  flag("format", "Version 1 form", "format the drive", { slash: "format", hidden: true }),
  flag("encrypt", "Version 1 form", "encrypt the drive", { slash: "encrypt", hidden: true }),
  value("bk", "key", "Version 1 form", "BitLocker key", { slash: "bk", secret: true, hidden: true }),
  value("blob-type", "type", "Version 1 form", "BlockBlob or PageBlob", {
    slash: "BlobType",
    choices: ["BlockBlob", "PageBlob"],
    caseSensitive: true,
    hidden: true,
  }),
  value("property-file", "file", "Version 1 form", "properties file", { slash: "PropertyFile", hidden: true }),
  value("metadata-file", "file", "Version 1 form", "metadata file", { slash: "MetadataFile", hidden: true }),
  flag("skip-write", "Version 1 form", "data is already on the drive", { slash: "skipwrite", hidden: true }),
  flag("enable-content-md5", "Version 1 form", "set Content-MD5", { slash: "enablecontentmd5", hidden: true }),
];

export const PREP_SWITCHES: readonly SwitchSpec[] = [
  ...SESSION_SWITCHES,
  ...OWN_PREP_SWITCHES,
  ...V1_SWITCHES,
  SHOW_SECRETS,
  ...COMMON_SWITCHES,
];
