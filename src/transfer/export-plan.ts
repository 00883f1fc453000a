/** The frozen plan of an export: what was chosen, where each blob goes. Made once; an interrupted export goes on with it. */
import { BlobSelection, type SelectionCounts } from "../blobs/select-blobs.ts";
import { errnoOf } from "../platform/app-error.ts";
import { readWholeFile, writeFileDurably } from "../platform/durable-file.ts";
import { joinPath } from "../platform/file-path.ts";
import type { FileSystem } from "../platform/file-system.ts";
import type { TransferExportEvent, TransferExportRequest } from "./export-contract.ts";
import { EntryWriter, type ExportEntry, readEntries } from "./export-entry.ts";
import { NameClashes } from "./export-names.ts";
import type { TransferPorts } from "./import-contract.ts";
import { DrivePacker, type Placement, readPlacements, writePlacements } from "./pack-drives.ts";

export interface ExportPlan {
  counts: SelectionCounts;
  blobs: number;
  bytes: number;
  leftOut: number;
  drives: { blobs: number; bytes: number }[];
}

export interface PlannedBlob {
  entry: ExportEntry;
  placement: Placement;
}

const PLAN_FILE = "plan.json";
const MAX_PLAN_BYTES = 1024 * 1024;
const LISTING_STEP = 1000;

/** Whatever is in `directory` from a plan that was not finished is made again. */
export async function openExportPlan(
  request: TransferExportRequest,
  ports: TransferPorts,
  directory: string,
  onEvent: (event: TransferExportEvent) => void,
): Promise<ExportPlan> {
  const { fs } = ports;
  const known = readPlan(fs, directory);
  if (known !== undefined) return known;
  const clashes = new NameClashes(fs, directory);
  try {
    const counts = await listBlobs(request, ports, directory, clashes, onEvent);
    const plan: ExportPlan = {
      counts,
      blobs: 0,
      bytes: 0,
      leftOut: 0,
      drives: request.drives.map(() => ({ blobs: 0, bytes: 0 })),
    };
    const packer = new DrivePacker(request.drives);
    for (const entry of readEntries(fs, entriesPath(directory))) packer.see(entry);
    packer.placeLarge();
    writePlacements(fs, placementsPath(directory), placeAll(fs, directory, packer, clashes, plan));
    writeFileDurably(fs, joinPath(directory, PLAN_FILE), Buffer.from(JSON.stringify(plan)), 0o600);
    return plan;
  } finally {
    clashes.close();
  }
}

export function* plannedBlobs(fs: FileSystem, directory: string): Generator<PlannedBlob> {
  const placements = readPlacements(fs, placementsPath(directory));
  for (const entry of readEntries(fs, entriesPath(directory))) {
    const { value: placement } = placements.next();
    if (placement === undefined) return;
    yield { entry, placement };
  }
}

async function listBlobs(
  request: TransferExportRequest,
  { fs, account }: TransferPorts,
  directory: string,
  clashes: NameClashes,
  onEvent: (event: TransferExportEvent) => void,
): Promise<SelectionCounts> {
  const selection = new BlobSelection(account, request.selectors);
  const writer = new EntryWriter(fs, entriesPath(directory));
  let blobs = 0;
  let bytes = 0;
  try {
    for await (const selected of selection.blobs()) {
      writer.add(selected);
      clashes.add({ index: blobs, container: selected.container, ...selected.blob });
      blobs += 1;
      bytes += selected.blob.sizeBytes;
      if (blobs % LISTING_STEP === 0) {
        request.signal?.throwIfAborted();
        onEvent({ type: "listing", blobs, bytes, isDone: false });
      }
    }
  } finally {
    writer.close();
  }
  onEvent({ type: "listing", blobs, bytes, isDone: true });
  return selection.counts;
}

function* placeAll(
  fs: FileSystem,
  directory: string,
  packer: DrivePacker,
  clashes: NameClashes,
  plan: ExportPlan,
): Generator<Placement> {
  const renamed = clashes.renamed();
  let nextRenamed = renamed.next();
  for (const entry of readEntries(fs, entriesPath(directory))) {
    const isRenamed = nextRenamed.value === entry.index;
    if (isRenamed) nextRenamed = renamed.next();
    const drive = packer.place(entry);
    plan.blobs += 1;
    plan.bytes += entry.sizeBytes;
    const sums = drive === undefined ? undefined : plan.drives[drive];
    if (sums === undefined) plan.leftOut += 1;
    else {
      sums.blobs += 1;
      sums.bytes += entry.sizeBytes;
    }
    yield { drive, isRenamed };
  }
}

function readPlan(fs: FileSystem, directory: string): ExportPlan | undefined {
  try {
    return JSON.parse(readWholeFile(fs, joinPath(directory, PLAN_FILE), MAX_PLAN_BYTES).toString("utf8")) as ExportPlan;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

function entriesPath(directory: string): string {
  return joinPath(directory, "entries.jsonl");
}

function placementsPath(directory: string): string {
  return joinPath(directory, "placements.bin");
}
