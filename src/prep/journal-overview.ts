/** What a journal knows, for /ListDrives, /ListCopySessions and `journal show`. Reads only. */
import { JournalFile } from "../journal/journal-file.ts";
import { replayHistory } from "../journal/session-history.ts";
import { UsageError } from "../platform/app-error.ts";
import type { FileSystem } from "../platform/file-system.ts";

export interface JournalOverview {
  journal: string;
  drives: readonly {
    driveId: string;
    place: string;
    /** `sealed`, `lost`, or how far it is in the last session: `joined`, `prepared`, ... */
    state: string;
    manifestHash?: string;
    encryption: "bitlocker" | "mock";
    sessions: readonly string[];
    /** A secret. */
    key: string;
  }[];
  sessions: readonly {
    id: string;
    state: string;
    /** ISO 8601 UTC. */
    started: string;
    files?: number;
    bytes?: number;
    drives: readonly string[];
    dataset: string;
  }[];
  notices: readonly string[];
}

export function readJournalOverview(fs: FileSystem, path: string): JournalOverview {
  const { records, journal, notices } = openJournal(fs, path);
  journal.close();
  const history = replayHistory(records);
  const stepOf = (driveId: string): string =>
    (history.sessions.findLast((s) => s.drives.has(driveId))?.drives.get(driveId)?.step ?? "known").toLowerCase();
  const drives = [...history.drives.values()].map(
    ({ driveId, place, encryption, key, isLost, manifest, sessions }) => ({
      driveId,
      place,
      state: isLost ? "lost" : stepOf(driveId),
      ...(manifest === undefined || isLost ? {} : { manifestHash: manifest.hash }),
      encryption,
      sessions,
      key,
    }),
  );
  // Journals of the original have no sessions that we can read, but their drives are there.
  for (const info of history.driveInfos.values()) {
    if (history.drives.has(info.driveId)) continue;
    const { driveId, bitLockerKey: key, manifestHash } = info;
    drives.push({ driveId, place: "", state: "sealed", manifestHash, encryption: "bitlocker", sessions: [], key });
  }
  const sessions = history.sessions.map((session) => ({
    id: session.id,
    state: session.state,
    started: session.startedAt,
    ...(session.files === undefined ? {} : { files: session.files }),
    ...(session.bytes === undefined ? {} : { bytes: session.bytes }),
    drives: [...session.drives.keys()],
    dataset: session.dataSetPath,
  }));
  return { journal: path, drives, sessions, notices };
}

function openJournal(fs: FileSystem, path: string): ReturnType<typeof JournalFile.open> {
  try {
    fs.lstat(path);
  } catch {
    throw new UsageError("JOURNAL_MISSING", `the journal "${path}" does not exist`);
  }
  return JournalFile.open(fs, path);
}
