/** `journal show`: drives and sessions of a journal. */
import { listJournal } from "../journal-lists.ts";
import { pathResolver } from "../prep-request.ts";
import type { CommandFunction } from "../switch-table.ts";

export const journalShow: CommandFunction = async (switches, [journal = ""], context) =>
  listJournal(pathResolver(context)(journal), ["drives", "sessions"], switches, context);
