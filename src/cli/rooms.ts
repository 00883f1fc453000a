/** Loads the rooms that do the work, when a command needs them and not before: `--help` must start at once. */

import type { FileSystem } from "../platform/file-system.ts";
import type { Confirm, PlanSummary, PrepEvent, PrepOutcome, PrepRequest } from "../prep/prep-contract.ts";
import type { PrepPorts } from "../prep/prep-ports.ts";
import type { JournalOverview } from "../ui/journal-text.ts";

interface PrepRoom {
  prepareDrives(
    request: PrepRequest,
    ports: PrepPorts,
    onEvent: (event: PrepEvent) => void,
    confirm: Confirm,
    signal: AbortSignal,
  ): Promise<PrepOutcome>;
  planDrives(request: PrepRequest, ports: PrepPorts, onEvent: (event: PrepEvent) => void): Promise<PlanSummary>;
}

const load = async (path: string): Promise<unknown> => await import(path);

export const loadPrepare = async (): Promise<PrepRoom> => (await load("../prep/prepare.js")) as PrepRoom;

export const loadPorts = async (): Promise<{ createPrepPorts: (environment: object) => PrepPorts }> =>
  (await load("../prep/create-prep-ports.js")) as { createPrepPorts: (environment: object) => PrepPorts };

export const loadJournalOverview = async (): Promise<{
  readJournalOverview: (fs: FileSystem, path: string) => JournalOverview;
}> =>
  (await load("../prep/journal-overview.js")) as {
    readJournalOverview: (fs: FileSystem, path: string) => JournalOverview;
  };
