/** Where the log of a run goes: /logdir is given once, with the first session, and remembered by the journal. */
import { AppError } from "../platform/app-error.ts";
import { nodeFileSystem } from "../platform/file-system.ts";
import type { PrepRequest } from "../prep/prep-contract.ts";

export async function findLogDirectory(request: PrepRequest): Promise<string | undefined> {
  if (request.logDirectory !== undefined) return request.logDirectory;
  const [{ JournalFile }, { replayHistory }] = await Promise.all([
    import("../journal/journal-file.ts"),
    import("../journal/session-history.ts"),
  ]);
  try {
    const { journal, records } = JournalFile.open(nodeFileSystem, request.journalPath);
    journal.close();
    return replayHistory(records).logDirectory;
  } catch (error) {
    // A missing or damaged journal is the preparation's to tell.
    if (error instanceof AppError) return undefined;
    throw error;
  }
}
