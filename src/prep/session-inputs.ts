/**
 * What a session is made of: both CSVs and the options that decide what lies where. Frozen in the journal when it
 * starts, so that a resume needs neither file, and a repeated command can be told from a different one.
 */
import { createHash } from "node:crypto";
import * as z from "zod/mini";
import { readCsvFile } from "../dataset/read-input-file.ts";
import type { SessionRecord } from "../journal/session-history.ts";
import { DamagedError } from "../platform/app-error.ts";
import type { FileSystem } from "../platform/file-system.ts";
import type { PrepOptions, PrepRequest } from "./prep-contract.ts";

const csvInput = z.object({ path: z.string(), content: z.string() });

const sessionInputs = z.object({
  version: z.literal(1),
  dataSet: csvInput,
  /** Drives named by this session: its initial ones, or those added with it. */
  driveSet: z.optional(csvInput),
  options: z.object({
    include: z.array(z.string()),
    exclude: z.array(z.string()),
    links: z.enum(["notice", "fail"]),
    distribute: z.enum(["fill", "spread"]),
    disposition: z.optional(z.enum(["rename", "no-overwrite", "overwrite"])),
    largeBlocks: z.boolean(),
    encryption: z.enum(["auto", "mock"]),
    driveCapacity: z.array(z.tuple([z.string(), z.number()])),
    driveIds: z.array(z.tuple([z.string(), z.string()])),
    imageSizes: z.optional(z.array(z.tuple([z.string(), z.number()]))),
  }),
  clientCreator: z.string(),
  /** A credential goes into the manifests. The credential itself is kept by the journal, once. */
  hasStorageAccountKey: z.boolean(),
});

export type SessionInputs = z.infer<typeof sessionInputs>;

export function readSessionInputs(
  fs: FileSystem,
  request: PrepRequest & { dataSetPath: string },
  fixed: { clientCreator: string; hasStorageAccountKey: boolean },
): SessionInputs {
  const driveSetPath = request.initialDriveSetPath ?? request.additionalDriveSetPath;
  return {
    version: 1,
    dataSet: readCsv(fs, request.dataSetPath),
    ...(driveSetPath === undefined ? {} : { driveSet: readCsv(fs, driveSetPath) }),
    options: frozenOptions(request.options),
    ...fixed,
  };
}

/** The content is checked to be UTF-8 when it is parsed; bytes that are not become U+FFFD here and fail there. */
export function readCsv(fs: FileSystem, path: string): { path: string; content: string } {
  return { path, content: Buffer.from(readCsvFile(fs, path)).toString("utf8") };
}

function frozenOptions(options: PrepOptions): SessionInputs["options"] {
  return {
    include: [...options.include],
    exclude: [...options.exclude],
    links: options.links,
    distribute: options.distribute,
    ...(options.disposition === undefined ? {} : { disposition: options.disposition }),
    largeBlocks: options.largeBlocks,
    encryption: options.encryption,
    driveCapacity: [...options.driveCapacity],
    driveIds: [...options.driveIds],
    ...(options.imageSizes.size === 0 ? {} : { imageSizes: [...options.imageSizes] }),
  };
}

export function parseSessionInputs(session: SessionRecord, journal: string): SessionInputs {
  try {
    return sessionInputs.parse(JSON.parse(session.inputs));
  } catch (cause) {
    throw new DamagedError("JOURNAL_DAMAGED", `the inputs of session "${session.id}" in "${journal}" cannot be read`, {
      cause,
    });
  }
}

/** The recorded options win over those of a resuming call, except what only concerns how it runs. */
export function withFrozenOptions(options: PrepOptions, inputs: SessionInputs): PrepOptions {
  const { driveCapacity, driveIds, imageSizes = [], disposition, ...rest } = inputs.options;
  const merged: PrepOptions = {
    ...options,
    ...rest,
    driveCapacity: new Map([...driveCapacity, ...options.driveCapacity]),
    driveIds: new Map([...driveIds, ...options.driveIds]),
    imageSizes: new Map([...imageSizes, ...options.imageSizes]),
  };
  if (disposition !== undefined) merged.disposition = disposition;
  return merged;
}

/** Names, for people, what a repeated command asks for that the recorded session did not. Empty: it is the same. */
export function differences(fs: FileSystem, request: PrepRequest, recorded: SessionInputs): string[] {
  const found: string[] = [];
  if (request.dataSetPath === undefined) found.push("no /DataSet is given");
  else if (!sameCsv(fs, request.dataSetPath, recorded.dataSet))
    found.push(`the dataset "${request.dataSetPath}" has changed`);
  const driveSetPath = request.initialDriveSetPath ?? request.additionalDriveSetPath;
  if (driveSetPath !== undefined) {
    if (recorded.driveSet === undefined) found.push("it named no drives");
    else if (!sameCsv(fs, driveSetPath, recorded.driveSet)) found.push(`the drive set "${driveSetPath}" has changed`);
  }
  if (request.storageAccountKey !== undefined && !recorded.hasStorageAccountKey) found.push("it had no account key");
  const now = frozenOptions(request.options);
  for (const name of Object.keys({ ...now, ...recorded.options }) as (keyof SessionInputs["options"])[]) {
    if (JSON.stringify(now[name]) !== JSON.stringify(recorded.options[name]))
      found.push(`option ${OPTION_NAMES[name]} differs`);
  }
  return found;
}

function sameCsv(fs: FileSystem, path: string, recorded: { content: string }): boolean {
  return digest(readCsv(fs, path).content) === digest(recorded.content);
}

const digest = (text: string): string => createHash("sha256").update(text).digest("hex");

/** As they are written on the command line. */
const OPTION_NAMES: Readonly<Record<keyof SessionInputs["options"], string>> = {
  include: "--include",
  exclude: "--exclude",
  links: "--links",
  distribute: "--distribute",
  disposition: "--disposition",
  largeBlocks: "--large-blocks",
  encryption: "--encryption",
  driveCapacity: "--drive-capacity",
  driveIds: "--drive-id",
  imageSizes: "--image-size",
};
