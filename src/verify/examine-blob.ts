/** What can be said of a blob's file without reading it: is it there, has it its length, are its side files right. */
import { hashFile } from "../manifest/manifest-extension.ts";
import type { SideFile } from "../manifest/manifest-model.ts";
import type { ReadBlob } from "../manifest/read-blob.ts";
import { describeErrno, errnoOf } from "../platform/app-error.ts";
import type { FileStat, FileSystem } from "../platform/file-system.ts";
import type { DriveFiles } from "./drive-files.ts";
import type { VerifyProblem } from "./verify-contract.ts";

export interface ExaminedBlob {
  problems: VerifyProblem[];
  /** Absent: there is nothing that could be read. */
  file?: { relativePath: string; stat: FileStat };
}

export function examineBlob(fs: FileSystem, files: DriveFiles, blob: ReadBlob): ExaminedBlob {
  const { filePath, blobPath, sizeBytes } = blob;
  const problems = checkSideFiles(fs, files, [blob.metadata, blob.properties], blobPath);
  const found = files.find(filePath);
  if (!found.isFound) {
    problems.push({ kind: found.kind, filePath, blobPath, reason: found.reason });
    return { problems };
  }
  if (found.stat.sizeBytes !== sizeBytes) {
    problems.push(sizeProblem(filePath, blobPath, sizeBytes, found.stat.sizeBytes));
    return { problems };
  }
  return { problems, file: found };
}

/** Metadata and properties files against the digests that the manifest gives them. */
export function checkSideFiles(
  fs: FileSystem,
  files: DriveFiles,
  sideFiles: readonly (SideFile | undefined)[],
  blobPath?: string,
): VerifyProblem[] {
  const problems: VerifyProblem[] = [];
  for (const file of sideFiles) {
    const problem = file === undefined ? undefined : checkSideFile(fs, files, file, blobPath);
    if (problem !== undefined) problems.push(problem);
  }
  return problems;
}

export function sizeProblem(filePath: string, blobPath: string, expected: number, actual: number): VerifyProblem {
  return {
    kind: actual < expected ? "shorter" : "longer",
    filePath,
    blobPath,
    expected: String(expected),
    actual: String(actual),
    reason: `it has ${actual} bytes and should have ${expected}`,
  };
}

/** A range that reads other than the manifest says. */
export function segmentProblem(
  file: { filePath: string; blobPath: string },
  range: { offset: number; length: number; isLeftOut: boolean; expected: string; actual: string },
): VerifyProblem {
  const { offset, length, isLeftOut, expected, actual } = range;
  const reason = isLeftOut
    ? `${length} bytes from ${offset} on should be zeros and are not`
    : `${length} bytes from ${offset} on are not those of the manifest`;
  const { filePath, blobPath } = file;
  return { kind: isLeftOut ? "not-zero" : "different", filePath, blobPath, offset, length, expected, actual, reason };
}

function checkSideFile(
  fs: FileSystem,
  files: DriveFiles,
  file: SideFile,
  blobPath: string | undefined,
): VerifyProblem | undefined {
  const named = { filePath: file.path, ...(blobPath === undefined ? {} : { blobPath }) };
  const found = files.find(file.path);
  if (!found.isFound) return { kind: found.kind, ...named, reason: found.reason };
  try {
    const { hash } = hashFile(fs, files.pathOf(found.relativePath));
    if (hash === file.hash) return undefined;
    const reason = "its content is not that of the manifest";
    return { kind: "different", ...named, expected: file.hash, actual: hash, reason };
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return { kind: "unreadable", ...named, reason: describeErrno(error) };
  }
}
