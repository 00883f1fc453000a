/**
 * The index of a frozen plan (a line of JSON, a line with its SHA-256): written last and replaced atomically, so a plan either counts as a whole or not at all.
 * Once a session is in the journal, nothing is walked or distributed again for it, except what did not fit or was lost.
 */
import { createHash } from "node:crypto";
import * as z from "zod/mini";
import { DamagedError } from "../platform/app-error.ts";
import { fsyncDirectory, readWholeFile, writeFileDurably } from "../platform/durable-file.ts";
import type { ErrorCode } from "../platform/error-codes.ts";
import type { FileSystem } from "../platform/file-system.ts";
import { checkPlanFile } from "./plan-files.ts";
import type { SessionFiles } from "./session-files.ts";

const PLAN_VERSION = 1;
const MAX_INDEX_BYTES = 64 * 1024 * 1024;

const fileFacts = z.object({
  files: z.number(),
  bytes: z.number(),
  lengthBytes: z.number(),
  sha256: z.string(),
  rowOffsets: z.array(z.tuple([z.number(), z.number()])),
});

const planDrive = z.object({
  driveId: z.string(),
  place: z.string(),
  capacityBytes: z.number(),
  usedBytes: z.number(),
  facts: fileFacts,
  /** Files from this position on were planned again onto other drives. */
  supersededFrom: z.optional(z.number()),
});

const planRow = z.object({
  index: z.number(),
  line: z.number(),
  basePath: z.string(),
  kind: z.enum(["directory", "file"]),
  destination: z.string(),
  container: z.string(),
  blobType: z.enum(["BlockBlob", "PageBlob", "ByExtension"]),
  disposition: z.enum(["rename", "no-overwrite", "overwrite"]),
  /** Copies of the row's side files lie in the state directory under these names. */
  metadata: z.optional(z.string()),
  properties: z.optional(z.string()),
  /** Upper-case Base16 MD5 of each copy. */
  metadataHash: z.optional(z.string()),
  propertiesHash: z.optional(z.string()),
});

const frozenPlan = z.object({
  version: z.literal(PLAN_VERSION),
  sessionId: z.string(),
  nonce: z.string(),
  /** Counts the plannings of this session: 0, then one more for each set of additional drives. */
  generation: z.number(),
  rows: z.array(planRow),
  drives: z.array(planDrive),
  unplaced: z.extend(fileFacts, { moreDrivesNeeded: z.number(), tooLargeFiles: z.number() }),
  notDone: z.record(z.string(), z.number()),
  special: z.number(),
  filtered: z.number(),
});

export type FrozenPlan = z.infer<typeof frozenPlan>;
export type PlanDrive = z.infer<typeof planDrive>;
export type PlanRow = z.infer<typeof planRow>;
export type NotDoneCounts = Partial<Record<ErrorCode, number>>;

export function writeFrozenPlan(fs: FileSystem, files: SessionFiles, plan: FrozenPlan): void {
  // The files that it names must not be lost when it is not.
  fsyncDirectory(fs, files.state);
  const json = JSON.stringify(plan);
  writeFileDurably(fs, files.planIndex, Buffer.from(`${json}\n${sha256(json)}\n`), 0o600);
}

/** Reads the index and checks every plan file that is still needed against it. */
export function readFrozenPlan(
  fs: FileSystem,
  files: SessionFiles,
  session: { id: string; nonce: string },
): FrozenPlan {
  const plan = parseIndex(fs, files);
  if (plan.sessionId !== session.id || plan.nonce !== session.nonce) {
    throw new DamagedError("STATE_DAMAGED", `"${files.planIndex}" belongs to another session than "${session.id}"`);
  }
  plan.drives.forEach((drive, index) => {
    if (drive.supersededFrom !== 0) checkPlanFile(fs, files.plan(index), drive.facts);
  });
  checkPlanFile(fs, files.unplaced(plan.generation), plan.unplaced);
  return plan;
}

function parseIndex(fs: FileSystem, files: SessionFiles): FrozenPlan {
  try {
    const [json = "", digest] = readWholeFile(fs, files.planIndex, MAX_INDEX_BYTES).toString("utf8").split("\n");
    if (digest !== sha256(json)) throw new Error("its check fails");
    return frozenPlan.parse(JSON.parse(json));
  } catch (cause) {
    throw new DamagedError("STATE_DAMAGED", `the frozen plan "${files.planIndex}" cannot be read`, { cause });
  }
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Positions of a drive's plan that still count: up to where files were planned again elsewhere. */
export function activeFiles(drive: PlanDrive): number {
  return Math.min(drive.facts.files, drive.supersededFrom ?? Number.POSITIVE_INFINITY);
}
