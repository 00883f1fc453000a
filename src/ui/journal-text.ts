/** The drives and sessions of a journal as tables and as the JSON line. Keys show their last group only, unless asked for. */
import { safeText } from "./safe-text.ts";
import { formatCount, formatSize } from "./sizes.ts";
import { renderTable } from "./table.ts";

export interface JournalOverview {
  journal: string;
  drives: readonly {
    driveId: string;
    place: string;
    state: string;
    manifestHash?: string;
    encryption: string;
    sessions: readonly string[];
    /** A secret. */
    key?: string;
  }[];
  sessions: readonly {
    id: string;
    state: string;
    started?: string;
    files?: number;
    bytes?: number;
    drives: readonly string[];
    dataset?: string;
  }[];
}

type JournalDrive = JournalOverview["drives"][number];

export function drivesText(overview: JournalOverview, showSecrets: boolean): string {
  if (overview.drives.length === 0) return "No drives.\n";
  return renderTable(
    [
      { title: "Drive" },
      { title: "Place" },
      { title: "State" },
      { title: "Encryption" },
      { title: "BitLocker key" },
      { title: "Manifest hash" },
      { title: "Sessions" },
    ],
    overview.drives.map((drive) => [
      safeText(drive.driveId),
      safeText(drive.place),
      drive.state,
      drive.encryption === "mock" ? "none (mock)" : String(drive.encryption),
      shownKey(drive.key, showSecrets) ?? "-",
      drive.manifestHash ?? "-",
      drive.sessions.map(safeText).join(", "),
    ]),
  );
}

export function sessionsText(overview: JournalOverview): string {
  if (overview.sessions.length === 0) return "No sessions.\n";
  return renderTable(
    [
      { title: "Session" },
      { title: "State" },
      { title: "Started" },
      { title: "Files", align: "right" },
      { title: "Size", align: "right" },
      { title: "Drives" },
      { title: "Dataset" },
    ],
    overview.sessions.map((session) => [
      safeText(session.id),
      session.state,
      session.started ?? "-",
      session.files === undefined ? "-" : formatCount(session.files),
      session.bytes === undefined ? "-" : formatSize(session.bytes),
      session.drives.map(safeText).join(", "),
      safeText(session.dataset ?? "-"),
    ]),
  );
}

export function journalData(
  overview: JournalOverview,
  parts: readonly ("drives" | "sessions")[],
  showSecrets: boolean,
): object {
  const drives = overview.drives.map(({ key, ...drive }: JournalDrive) => ({
    ...drive,
    bitLockerKey: shownKey(key, showSecrets) ?? null,
  }));
  return {
    journal: overview.journal,
    ...(parts.includes("drives") ? { drives } : {}),
    ...(parts.includes("sessions") ? { sessions: overview.sessions } : {}),
  };
}

export function shownKey(key: string | undefined, showSecrets: boolean): string | undefined {
  if (key === undefined || showSecrets) return key;
  return key.replaceAll(/\d(?=.*-)/g, "*");
}
