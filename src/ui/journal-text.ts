/** The drives and sessions of a journal as tables and as the JSON line. Keys show their last group only, unless asked for. */
import type { JournalOverview } from "../prep/journal-overview.ts";
import { NOT_ENCRYPTED } from "./plan-text.ts";
import { safeText } from "./safe-text.ts";
import { formatCount, formatSize } from "./sizes.ts";
import { renderTable } from "./table.ts";

type JournalDrive = JournalOverview["drives"][number];

export function drivesText(overview: JournalOverview, showSecrets: boolean): string {
  if (overview.drives.length === 0) return "No drives.\n";
  return overview.drives.map((drive) => driveText(drive, showSecrets)).join("\n");
}

/** One below the other rather than a table: a key alone is 55 columns wide. */
function driveText(drive: JournalDrive, showSecrets: boolean): string {
  const place = drive.place === "" ? "" : ` at ${safeText(drive.place)}`;
  return [
    `Drive ${safeText(drive.driveId)}${place}: ${drive.state}`,
    `  manifest hash  ${drive.manifestHash ?? "none yet"}`,
    `  encryption     ${drive.encryption === "mock" ? `none (mock): ${NOT_ENCRYPTED}` : "BitLocker"}`,
    `  BitLocker key  ${shownKey(drive.key, showSecrets)}`,
    `  sessions       ${drive.sessions.length === 0 ? "unknown" : drive.sessions.map(safeText).join(", ")}`,
    "",
  ].join("\n");
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
      session.started,
      session.files === undefined ? "-" : formatCount(session.files),
      session.bytes === undefined ? "-" : formatSize(session.bytes),
      session.drives.map(safeText).join(", "),
      safeText(session.dataset),
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
    bitLockerKey: shownKey(key, showSecrets),
  }));
  return {
    journal: overview.journal,
    ...(parts.includes("drives") ? { drives } : {}),
    ...(parts.includes("sessions") ? { sessions: overview.sessions } : {}),
  };
}

/** Only the last group of a key, so that people can tell keys apart. */
export function shownKey(key: string, showSecrets: boolean): string {
  return showSecrets ? key : key.replaceAll(/\d(?=.*-)/g, "*");
}
