/** Which manifest is expected on a drive: the switches of every verb that reads a prepared drive. */
import type { SwitchSpec } from "./switch-table.ts";

export const EXPECTED_MANIFEST_SWITCHES: readonly SwitchSpec[] = [
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
];
