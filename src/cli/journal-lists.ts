/** What /ListDrives, /ListCopySessions and `journal show` have in common. */
import { ExitCode } from "../platform/exit-codes.ts";
import { nodeFileSystem } from "../platform/file-system.ts";
import { drivesText, journalData, sessionsText } from "../ui/journal-text.ts";
import type { CommandContext } from "./command-context.ts";
import type { Switches } from "./switches.ts";

export type JournalPart = "drives" | "sessions";

export async function listJournal(
  journalPath: string,
  parts: readonly JournalPart[],
  switches: Switches,
  context: CommandContext,
): Promise<ExitCode> {
  const { readJournalOverview } = await import("../prep/journal-overview.ts");
  const overview = readJournalOverview(nodeFileSystem, journalPath);
  const showSecrets = switches.flag("show-secrets");
  const { output } = context;
  for (const message of overview.notices) output.event({ type: "notice", message });
  output.result("journal", journalData(overview, parts, showSecrets), () =>
    parts.map((part) => (part === "drives" ? drivesText(overview, showSecrets) : sessionsText(overview))).join("\n"),
  );
  return ExitCode.Done;
}
