/**
 * The one list of error codes. Every expected failure carries one of these; the exit code, the default hint and the
 * manual's page (`docs/errors.md`, anchor = the code in lower case) follow from it.
 */
import { ExitCode } from "./exit-codes.ts";

interface ErrorRow {
  exitCode: ExitCode;
  /** One sentence for the manual: when this happens. */
  when: string;
  /** What to do next. Lower-case start, no full stop. */
  hint: string;
  retry?: "again" | "later" | "never" | "stop-all";
}

const row = (exitCode: ExitCode, when: string, hint: string, retry?: ErrorRow["retry"]): ErrorRow =>
  retry === undefined ? { exitCode, when, hint } : { exitCode, when, hint, retry };

export const ERROR_CODES = {
  // the command line
  USAGE_UNKNOWN_VERB: row(
    ExitCode.Usage,
    "The first word is not a verb of this tool.",
    "run 'waimportexport --help' for the list of verbs",
  ),
  USAGE_UNKNOWN_SWITCH: row(
    ExitCode.Usage,
    "A switch is not known for this verb.",
    "run the verb with --help for its switches",
  ),
  USAGE_MISSING_SWITCH: row(
    ExitCode.Usage,
    "A switch that this form of the command needs is missing.",
    "run the verb with --help for examples",
  ),
  USAGE_MISSING_VALUE: row(
    ExitCode.Usage,
    "A switch that takes a value has none.",
    "write it as /name:value or --name value",
  ),
  USAGE_BAD_VALUE: row(
    ExitCode.Usage,
    "The value of a switch is not allowed.",
    "see the allowed values in the message",
  ),
  USAGE_CONFLICT: row(ExitCode.Usage, "Two switches exclude each other.", "give only one of them"),
  USAGE_UNSPLITTABLE: row(
    ExitCode.Usage,
    "Windows' quoting glued several switches together.",
    "double the backslash before the closing quote",
  ),
  USAGE_FORM_UNAVAILABLE: row(
    ExitCode.Usage,
    "This form of the command exists in the original, but not in this release.",
    "use the form named above",
  ),

  // CSV input and what it names
  CSV_UNREADABLE: row(ExitCode.Usage, "A CSV file cannot be read.", "check the path and its permissions"),
  CSV_ENCODING: row(ExitCode.Usage, "A CSV file is not UTF-8 text.", "save the file as UTF-8, comma separated"),
  CSV_SEPARATOR: row(ExitCode.Usage, "A CSV file is separated by semicolons or tabs.", "save the file comma separated"),
  CSV_HEADER: row(
    ExitCode.Usage,
    "The header line of a CSV file is not one of the known ones.",
    "run 'waimportexport init' for samples of both files",
  ),
  DATASET_INVALID: row(
    ExitCode.Usage,
    "The dataset CSV holds mistakes.",
    "correct the lines named above and run the same command again",
  ),
  DRIVESET_INVALID: row(
    ExitCode.Usage,
    "The drive set CSV holds mistakes.",
    "correct the lines named above and run the same command again",
  ),
  SIDE_FILE_INVALID: row(
    ExitCode.Usage,
    "A metadata or properties file is not what the service accepts.",
    "correct the file; docs/formats.md shows both forms",
  ),
  SOURCE_MISSING: row(
    ExitCode.Usage,
    "A source named in the dataset does not exist or cannot be read.",
    "check the path, and that its share is connected",
  ),
  SOURCE_CONTAINS_TARGET: row(
    ExitCode.Usage,
    "A source lies on a target drive.",
    "choose another drive or another source",
  ),
  BLOB_PATH_CLASH: row(
    ExitCode.Usage,
    "Two files would become the same blob.",
    "change the destination of one of the rows",
  ),
  AZURE_FILES_UNSUPPORTED: row(
    ExitCode.Usage,
    "A row has ItemType file (Azure Files), whose manifest form is not public.",
    "use BlockBlob, or copy to Azure Files over the network",
  ),
  FILTER_INVALID: row(
    ExitCode.Usage,
    "An include or exclude pattern cannot be understood.",
    "use glob patterns such as '**/*.tmp'",
  ),

  // drives
  DRIVE_NOT_FOUND: row(
    ExitCode.DriveRefused,
    "No drive is at the given place.",
    "attach the drive, or correct its letter or path",
  ),
  DRIVE_WRONG: row(
    ExitCode.DriveRefused,
    "Another drive is where the journaled one is expected.",
    "attach the drive with the id named above",
  ),
  DRIVE_DUPLICATE: row(
    ExitCode.DriveRefused,
    "One drive is named twice, or two drives have the same id.",
    "name each drive once; --drive-id <path>=<id> tells drives without a serial apart",
  ),
  DRIVE_NOT_EMPTY: row(
    ExitCode.DriveRefused,
    "Format was asked for a directory that is not empty.",
    "empty it yourself, or use AlreadyFormatted",
  ),
  DRIVE_IS_SYSTEM: row(ExitCode.DriveRefused, "The drive holds the running system.", "choose another drive"),
  DRIVE_IN_USE: row(
    ExitCode.DriveRefused,
    "The drive is mounted elsewhere or part of RAID, LVM or LUKS.",
    "free the drive, or choose another",
  ),
  DRIVE_NOT_WRITABLE: row(
    ExitCode.DriveRefused,
    "Nothing can be written on the drive.",
    "check write protection and permissions",
  ),
  DRIVE_HAS_MANIFEST: row(
    ExitCode.DriveRefused,
    "The drive was prepared with another journal.",
    "to add data use the previous journal; to reuse the drive delete DriveManifest.xml and run again with a new journal",
  ),
  DRIVE_HAS_SESSION: row(
    ExitCode.DriveRefused,
    "The drive already holds a directory of this session's name.",
    "choose another session id",
  ),
  DRIVE_NOT_CONFIRMED: row(
    ExitCode.DriveRefused,
    "Formatting or encrypting was not confirmed.",
    "answer the question, or give --confirm-drive <serial> or /silentmode",
  ),
  DRIVE_FAILED: row(
    ExitCode.DriveRefused,
    "A drive stopped working while it was written.",
    "attach it again and run the same command, or give it up with --give-up-drive <DriveId>",
  ),
  DRIVE_KIND_UNSUPPORTED: row(
    ExitCode.DriveRefused,
    "This kind of drive cannot be prepared on this machine.",
    "see docs/drives.md for what can be prepared where",
  ),
  NO_SPACE: row(
    ExitCode.NoSpace,
    "The data does not fit on the drives.",
    "add drives with /AdditionalDriveSet:<driveset.csv> and the same /id",
  ),

  // encryption
  BITLOCKER_KEY_INVALID: row(
    ExitCode.Usage,
    "A BitLocker key is not a valid 48-digit password.",
    "copy the key again: 8 groups of 6 digits, each divisible by 11",
  ),
  BITLOCKER_KEY_WRONG: row(
    ExitCode.Encryption,
    "The BitLocker key does not open the drive.",
    "use the key that the drive was encrypted with",
  ),
  ENCRYPTION_UNAVAILABLE: row(
    ExitCode.DriveRefused,
    "This machine cannot encrypt this drive with BitLocker.",
    "prepare it on Windows, or give --encryption mock for a rehearsal whose drive the service will refuse",
  ),
  ENCRYPTION_REQUIRED: row(
    ExitCode.DriveRefused,
    "--require-encryption was given and the drive would not be encrypted.",
    "use a drive that can be encrypted, or leave --require-encryption out",
  ),
  ENCRYPTION_FAILED: row(
    ExitCode.Encryption,
    "Encrypting or unlocking the drive failed.",
    "see the message of the encryption tool above",
  ),
  UNENCRYPTED_SECRETS: row(
    ExitCode.Usage,
    "A storage credential would be written on a drive that is not encrypted.",
    "leave /sk and /csas out, or give --allow-unencrypted-secrets",
  ),

  // sessions and journals
  SESSION_ID_INVALID: row(
    ExitCode.Usage,
    "A session id has a wrong form.",
    "use 3 to 30 letters, digits, '_', '-' or '#'",
  ),
  SESSION_REUSED: row(
    ExitCode.Usage,
    "The id of a completed session was given for a new one.",
    "choose a new session id",
  ),
  SESSION_UNFINISHED: row(
    ExitCode.Usage,
    "The last session of the journal is not finished.",
    "resume it with /ResumeSession or abort it with /AbortSession first",
  ),
  SESSION_DIFFERS: row(
    ExitCode.Usage,
    "An unfinished session was called with other inputs.",
    "use the inputs of the first call, or /ResumeSession",
  ),
  SESSION_UNKNOWN: row(ExitCode.Usage, "The journal has no session of this id.", "list them with /ListCopySessions"),
  SESSION_NOT_LAST: row(
    ExitCode.Usage,
    "Only the last session can be resumed or aborted.",
    "start a new session instead",
  ),
  SESSION_FIRST_SEALED: row(
    ExitCode.Usage,
    "The first session has sealed a drive and cannot be aborted any more.",
    "delete the journal and run again with a new one",
  ),
  SESSION_FINISHED: row(
    ExitCode.Usage,
    "The session is complete; there is nothing to abort.",
    "start a new session instead",
  ),
  JOURNAL_MISSING: row(ExitCode.Usage, "The journal does not exist.", "check the path given with /j"),
  JOURNAL_UNREADABLE: row(
    ExitCode.Usage,
    "The journal cannot be read.",
    "check its permissions and the disk that it lies on",
  ),
  JOURNAL_NEEDS_DRIVES: row(
    ExitCode.Usage,
    "The first session of a journal names no drives.",
    "give /InitialDriveSet:<driveset.csv>",
  ),
  JOURNAL_HAS_DRIVES: row(
    ExitCode.Usage,
    "A later session gave /InitialDriveSet again.",
    "leave /InitialDriveSet out; add drives with /AdditionalDriveSet",
  ),
  JOURNAL_ON_DRIVE: row(
    ExitCode.Usage,
    "The journal lies on a drive that it describes.",
    "keep the journal on another drive",
  ),
  LOGDIR_FIXED: row(ExitCode.Usage, "/logdir was already set for this journal.", "leave /logdir out"),
  ACCOUNT_KEY_FIXED: row(
    ExitCode.Usage,
    "The account key differs from that of the journal's first session.",
    "leave the key out, or use a new journal for another account",
  ),
  JOURNAL_DAMAGED: row(
    ExitCode.Damaged,
    "The journal holds bytes that were not written by this tool.",
    "restore it from a copy, or rebuild it from the prepared drives",
  ),
  JOURNAL_NEWER: row(
    ExitCode.Usage,
    "The journal was written by a newer release.",
    "use the release named above or a later one",
  ),
  JOURNAL_WRITE_FAILED: row(
    ExitCode.Usage,
    "The journal or the session's state cannot be written.",
    "free space or fix permissions where the journal lies, then run the same command again",
    "stop-all",
  ),
  STATE_DAMAGED: row(
    ExitCode.Damaged,
    "The session's state beside the journal is damaged or missing.",
    "abort the session and start again",
  ),
  STATE_DIR_UNUSABLE: row(
    ExitCode.Usage,
    "The user's state directory cannot be made or written.",
    "fix its permissions, or name another one with WAIMPORTEXPORT_STATE_DIR",
  ),
  MANIFEST_DAMAGED: row(
    ExitCode.Damaged,
    "A drive's manifest is neither the old nor the new one of the journal.",
    "restore the manifest, or give the drive up",
  ),
  MANIFEST_INVALID: row(
    ExitCode.Damaged,
    "A manifest does not follow the format.",
    "check that it is the manifest of a prepared drive",
  ),
  MANIFEST_MISSING: row(
    ExitCode.DriveRefused,
    "The drive has no DriveManifest.xml.",
    "check that this is a prepared drive",
  ),
  MANIFEST_UNREADABLE: row(
    ExitCode.DriveRefused,
    "A drive's manifest cannot be read.",
    "check the drive, its connection and the permissions",
  ),
  LOCKED: row(ExitCode.Locked, "Another run uses the journal or the drive.", "wait for it to end"),
  LOCKED_ELSEWHERE: row(
    ExitCode.Locked,
    "A run on another machine holds the lock.",
    "if that run is gone, give --break-lock",
  ),
  LOCK_FAILED: row(ExitCode.Usage, "A lock file cannot be made.", "free space or fix permissions where the lock lies"),

  // verification
  VERIFY_MISMATCH: row(
    ExitCode.VerifyMismatch,
    "What lies on the drive differs from its manifest.",
    "do not ship the drive; prepare it again",
  ),
  MANIFEST_NOT_CHECKED: row(
    ExitCode.VerifyMismatch,
    "No hash was given to check the manifest itself.",
    "give --journal, --drive-info or --manifest-hash",
  ),

  // per-file results (never thrown; they are reported and counted)
  FILE_UNREADABLE: row(
    ExitCode.SomeFilesNotDone,
    "A source file or directory cannot be read.",
    "fix its permissions and copy it in a later session",
  ),
  FILE_VANISHED: row(
    ExitCode.SomeFilesNotDone,
    "A source file was deleted after planning.",
    "restore it and copy it in a later session",
  ),
  FILE_CHANGED: row(
    ExitCode.SomeFilesNotDone,
    "A source file kept changing while it was read.",
    "close the program that writes it and copy it in a later session",
  ),
  FILE_GREW: row(
    ExitCode.SomeFilesNotDone,
    "A source file grew after planning and no longer fits its drive.",
    "copy it in a later session on another drive",
  ),
  FILE_NEW: row(ExitCode.SomeFilesNotDone, "A source file appeared after planning.", "copy it in a later session"),
  FILE_NAME_INVALID: row(
    ExitCode.SomeFilesNotDone,
    "A name cannot be carried by a blob or by XML.",
    "rename the file and copy it in a later session",
  ),
  FILE_NAME_TOO_LONG: row(
    ExitCode.SomeFilesNotDone,
    "A blob name has over 1,024 characters or 254 segments.",
    "shorten the path or the destination prefix",
  ),
  FILE_TOO_LARGE: row(
    ExitCode.SomeFilesNotDone,
    "A file is larger than a blob of its type may be.",
    "give --large-blocks, or split the file",
  ),
  FILE_NOT_PAGE_ALIGNED: row(
    ExitCode.SomeFilesNotDone,
    "A page blob's file length is no multiple of 512.",
    "import it as BlockBlob, or pad the file",
  ),
  FILE_SPECIAL: row(
    ExitCode.Done,
    "A link, socket, pipe or device is not copied.",
    "copy what it points at by a row of its own; --links fail makes links count as failures",
  ),
  FILE_EXCLUDED: row(
    ExitCode.Done,
    "A target drive, the journal or the log directory lies inside a source and is left out of it.",
    "keep them outside the sources, or ignore this warning",
  ),
  FILE_IN_ROOT_CONTAINER: row(
    ExitCode.SomeFilesNotDone,
    "A blob of the root container cannot lie in a folder.",
    "give the row another container",
  ),

  // copy logs, blob lists and accounts
  COPY_LOG_UNREADABLE: row(ExitCode.Usage, "A copy log cannot be read.", "check the path and its permissions"),
  COPY_LOG_INVALID: row(
    ExitCode.Damaged,
    "A copy log follows none of the three known formats.",
    "download the log again, whole and unchanged",
  ),
  BLOB_LIST_INVALID: row(
    ExitCode.Usage,
    "A blob list or a blob prefix is not what the service accepts.",
    "name a blob as container/name and a prefix as /container/prefix",
  ),
  ENDPOINT_INVALID: row(
    ExitCode.Usage,
    "A blob endpoint or its credential cannot be understood.",
    "give a connection string, or an https URL with an account key, a SAS or a token",
  ),
  ACCESS_REFUSED: row(
    ExitCode.ServiceRefused,
    "The storage account refused the credential.",
    "check the key, or the SAS's times and permissions, then run the same command again",
    "later",
  ),
  SERVICE_REFUSED: row(
    ExitCode.ServiceRefused,
    "The storage service refused a request.",
    "see the service's own code in the message",
  ),
  NETWORK: row(
    ExitCode.Network,
    "The network, or the service behind it, could not be reached.",
    "check the connection and the endpoint, then run the same command again to go on",
    "later",
  ),

  // the rest
  CANCELED: row(ExitCode.Interrupted, "The run was interrupted.", "run the same command again to go on", "later"),
  INTERNAL: row(ExitCode.Bug, "A bug in this program.", "please report it with the log file"),
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERROR_CODES;
