/** The drives of this machine as a table and as the JSON line. */
import { safeText } from "./safe-text.ts";
import { formatSize } from "./sizes.ts";
import { renderTable } from "./table.ts";

/** What is shown of a drive. */
export interface ListedDrive {
  driveId: string;
  place: string;
  kind: string;
  model: string;
  sizeBytes: number;
  freeBytes: number;
  fileSystem: string;
  transport: string;
  contents: string;
  isSystem: boolean;
  inUseBy?: string;
  encryptable: "bitlocker" | "mock" | "none";
  reasons: readonly string[];
  warnings: readonly string[];
}

export function driveListText(drives: readonly ListedDrive[]): string {
  if (drives.length === 0) return "No drives found.\n";
  return renderTable(
    [
      { title: "Drive" },
      { title: "Place" },
      { title: "Model" },
      { title: "Size", align: "right" },
      { title: "Free", align: "right" },
      { title: "File system" },
      { title: "Encryption" },
      { title: "Remarks" },
    ],
    drives.map((drive) => [
      safeText(drive.driveId),
      safeText(drive.place),
      safeText(drive.model),
      formatSize(drive.sizeBytes),
      formatSize(drive.freeBytes),
      safeText(drive.fileSystem),
      drive.encryptable,
      safeText(remarks(drive).join("; ")),
    ]),
  );
}

function remarks(drive: ListedDrive): string[] {
  return [
    ...(drive.isSystem ? ["holds the running system"] : []),
    ...(drive.inUseBy === undefined ? [] : [drive.inUseBy]),
    ...drive.reasons,
    ...drive.warnings,
  ];
}

export function driveListData(drives: readonly ListedDrive[]): object {
  return { drives };
}
