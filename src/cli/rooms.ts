/** Loads the rooms that do the work, when a command needs them and not before: `--help` must start at once. */
import type { FileSystem } from "../platform/file-system.ts";
import type { JournalOverview } from "../ui/journal-text.ts";

const load = async (path: string): Promise<unknown> => await import(path);

export const loadJournalOverview = async (): Promise<{
  readJournalOverview: (fs: FileSystem, path: string) => JournalOverview;
}> =>
  (await load("../prep/journal-overview.js")) as {
    readJournalOverview: (fs: FileSystem, path: string) => JournalOverview;
  };
