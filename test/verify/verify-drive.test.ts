import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { createInlineCopyEngine } from "../../src/copy/inline-engine.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { type FileSystem, nodeFileSystem } from "../../src/platform/file-system.ts";
import type { VerifyEvent, VerifyRequest } from "../../src/verify/verify-contract.ts";
import { verifyDrive } from "../../src/verify/verify-drive.ts";
import { md5 } from "../manifest/manifest-files.ts";
import { temporaryDirectory } from "../platform/temporary-directory.ts";
import { patternBytes, prepareDrive, putFile, SEGMENT_BYTES } from "./prepared-drive.ts";

let drive: string;
let spoolDirectory: string;
let hash: string;

/** Verifies and gives the report with all events. */
async function verify(request: Partial<VerifyRequest> = {}, fs: FileSystem = nodeFileSystem) {
  const events: VerifyEvent[] = [];
  const ports = { fs, engine: createInlineCopyEngine(fs), clock: systemClock, spoolDirectory };
  const report = await verifyDrive(
    { driveRoot: drive, expectedHash: hash, strict: false, ...request },
    ports,
    (event) => events.push(event),
  );
  expect(readdirSync(spoolDirectory)).toEqual([]);
  return { report, events, problems: report.firstProblems };
}

function flipByte(path: string, offset: number): void {
  const bytes = readFileSync(path);
  bytes[offset] = (bytes[offset] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}

beforeEach(() => {
  drive = temporaryDirectory();
  spoolDirectory = temporaryDirectory();
  const holed = Buffer.concat([Buffer.alloc(SEGMENT_BYTES), patternBytes(SEGMENT_BYTES, 3), Buffer.alloc(512)]);
  const blocks = {
    "a.bin": patternBytes(SEGMENT_BYTES + 100, 1),
    "sub/b.txt": Buffer.from("hello\n"),
    "sub/empty": Buffer.alloc(0),
  };
  const pages = { "disk.vhd": holed, "zeros.vhd": Buffer.alloc(1024) };
  hash = prepareDrive(drive, blocks, pages).hash;
});

describe("verifying a drive", () => {
  it("finds nothing on a good one", async () => {
    const { report, events } = await verify({ expectedDriveId: "MOCK1", strict: true });
    expect(report).toMatchObject({
      driveId: "MOCK1",
      manifestHash: hash,
      isManifestChecked: true,
      totalFiles: 5,
      goodFiles: 5,
      goodBytes: 3 * SEGMENT_BYTES + 100 + 6 + 512 + 1024,
      badFiles: 0,
      problems: 0,
      unnamedFiles: 0,
      exitCode: 0,
    });
    expect(events[0]).toMatchObject({ type: "manifest", driveId: "MOCK1", isChecked: true, totalFiles: 5 });
    expect(events.at(-1)).toMatchObject({ type: "progress", files: 5, totalFiles: 5 });
    expect(events.filter((event) => event.type === "problem" || event.type === "warning")).toEqual([]);
  });

  it("names the segment of a flipped byte", async () => {
    flipByte(join(drive, "s/0/a.bin"), SEGMENT_BYTES + 50);
    const { report, problems } = await verify();
    expect(report).toMatchObject({ exitCode: 4, goodFiles: 4, badFiles: 1, problemsByKind: { different: 1 } });
    expect(problems).toEqual([
      {
        kind: "different",
        filePath: "\\s\\0\\a.bin",
        blobPath: "c/a.bin",
        offset: SEGMENT_BYTES,
        length: 100,
        expected: md5(patternBytes(SEGMENT_BYTES + 100, 1).subarray(SEGMENT_BYTES)),
        actual: md5(readFileSync(join(drive, "s/0/a.bin")).subarray(SEGMENT_BYTES)),
        reason: `100 bytes from ${SEGMENT_BYTES} on are not those of the manifest`,
      },
    ]);
  });

  it("finds a flipped byte in what a page list leaves out", async () => {
    flipByte(join(drive, "s/1/disk.vhd"), 2 * SEGMENT_BYTES + 3);
    flipByte(join(drive, "s/1/zeros.vhd"), 1023);
    const { problems } = await verify();
    expect(problems.map(({ kind, filePath, offset, length }) => [kind, filePath, offset, length])).toEqual([
      ["not-zero", "\\s\\1\\disk.vhd", 2 * SEGMENT_BYTES, 512],
      ["not-zero", "\\s\\1\\zeros.vhd", 0, 1024],
    ]);
  });

  it("finds missing, longer, shorter and replaced files", async () => {
    rmSync(join(drive, "s/0/sub/b.txt"));
    appendFileSync(join(drive, "s/0/sub/empty"), "x");
    truncateSync(join(drive, "s/0/a.bin"), SEGMENT_BYTES);
    rmSync(join(drive, "s/1/zeros.vhd"));
    mkdirSync(join(drive, "s/1/zeros.vhd"));
    const { report, problems } = await verify();
    expect(problems.map(({ kind, blobPath, expected, actual }) => [kind, blobPath, expected, actual])).toEqual([
      ["shorter", "c/a.bin", "4194404", "4194304"],
      ["missing", "c/sub/b.txt", undefined, undefined],
      ["longer", "c/sub/empty", "0", "1"],
      ["not-a-file", "c/zeros.vhd", undefined, undefined],
    ]);
    expect(report).toMatchObject({ badFiles: 4, goodFiles: 1, exitCode: 4 });
  });

  it.skipIf(process.platform === "win32")(
    "follows no link, neither to a file nor on the way (not on Windows)",
    async () => {
      const outside = temporaryDirectory();
      renameSync(join(drive, "s/0/sub"), join(outside, "sub"));
      symlinkSync(join(outside, "sub"), join(drive, "s/0/sub"));
      renameSync(join(drive, "s/0/a.bin"), join(outside, "a.bin"));
      symlinkSync(join(outside, "a.bin"), join(drive, "s/0/a.bin"));
      const { problems } = await verify();
      expect(problems.map(({ kind, blobPath }) => [kind, blobPath])).toEqual([
        ["not-a-file", "c/a.bin"],
        ["not-a-file", "c/sub/b.txt"],
        ["not-a-file", "c/sub/empty"],
      ]);
    },
  );

  it("finds changed and missing metadata and properties files", async () => {
    appendFileSync(join(drive, "s/0.metadata.xml"), " ");
    rmSync(join(drive, "s/1.properties.xml"));
    const { report, problems } = await verify();
    expect(problems.map(({ kind, filePath }) => [kind, filePath])).toEqual([
      ["different", "\\s\\0.metadata.xml"],
      ["missing", "\\s\\1.properties.xml"],
    ]);
    expect(report).toMatchObject({ goodFiles: 5, badFiles: 0, problems: 2, exitCode: 4 });
  });

  it("finds a changed manifest and checks the rest against it all the same", async () => {
    appendFileSync(join(drive, "DriveManifest.xml"), "\n");
    const { report, problems } = await verify();
    expect(problems).toEqual([expect.objectContaining({ kind: "manifest-changed", expected: hash })]);
    expect(report).toMatchObject({ goodFiles: 5, exitCode: 4 });
  });

  it("checks the rest when there is no hash for the manifest, which counts only when it must be strict", async () => {
    const { expectedHash: _, ...request } = { driveRoot: drive, expectedHash: undefined, strict: false };
    const ports = {
      fs: nodeFileSystem,
      engine: createInlineCopyEngine(nodeFileSystem),
      clock: systemClock,
      spoolDirectory,
    };
    const lenient = await verifyDrive(request, ports, () => undefined);
    expect(lenient).toMatchObject({ isManifestChecked: false, goodFiles: 5, exitCode: 0 });
    const strict = await verifyDrive({ ...request, strict: true }, ports, () => undefined);
    expect(strict).toMatchObject({ isManifestChecked: false, problems: 0, exitCode: 4 });
  });

  it("warns of files that the manifest does not name, but not of the system's", async () => {
    putFile(drive, "\\extra.txt", Buffer.from("x"));
    putFile(drive, "\\s\\0\\sub\\other", Buffer.from("x"));
    putFile(drive, "\\System Volume Information\\tracking.log", Buffer.from("x"));
    putFile(drive, "\\$RECYCLE.BIN\\desktop.ini", Buffer.from("x"));
    const { report, events } = await verify({ strict: true });
    expect(report).toMatchObject({ unnamedFiles: 2, problems: 0, exitCode: 0 });
    const warned = events.flatMap((event) => (event.type === "warning" ? [[event.kind, event.filePath]] : []));
    expect(warned.sort()).toEqual([
      ["unnamed-file", "\\extra.txt"],
      ["unnamed-file", "\\s\\0\\sub\\other"],
    ]);
  });

  it("refuses another drive, a drive without a manifest and one whose manifest is damaged", async () => {
    await expect(verify({ expectedDriveId: "MOCK2" })).rejects.toMatchObject({ code: "DRIVE_WRONG", exitCode: 5 });
    const path = join(drive, "DriveManifest.xml");
    truncateSync(path, 500);
    await expect(verify()).rejects.toMatchObject({ code: "MANIFEST_INVALID", exitCode: 9 });
    rmSync(path);
    await expect(verify()).rejects.toMatchObject({ code: "MANIFEST_MISSING", exitCode: 5 });
    expect(readdirSync(spoolDirectory)).toEqual([]);
  });

  it("tells files that cannot be read and goes on", async () => {
    const failing: FileSystem = {
      ...nodeFileSystem,
      open: (path, flags, mode) => {
        if (path.endsWith("b.txt")) throw Object.assign(new Error("EACCES"), { code: "EACCES" });
        return nodeFileSystem.open(path, flags, mode);
      },
    };
    const { report, problems } = await verify({}, failing);
    expect(problems).toEqual([
      expect.objectContaining({ kind: "unreadable", blobPath: "c/sub/b.txt", reason: "permission denied" }),
    ]);
    expect(report.goodFiles).toBe(4);
  });

  it("stops when it is asked to", async () => {
    const { report } = await verify({ signal: AbortSignal.abort() });
    expect(report).toMatchObject({ isAborted: true, exitCode: 130, unnamedFiles: 0 });
  });

  it("reads drives of several spools at once without mixing them up", async () => {
    const [one, other] = await Promise.all([verifyOnly(), verifyOnly()]);
    expect([one.exitCode, other.exitCode]).toEqual([0, 0]);
  });
});

async function verifyOnly() {
  const ports = {
    fs: nodeFileSystem,
    engine: createInlineCopyEngine(nodeFileSystem),
    clock: systemClock,
    spoolDirectory,
  };
  return await verifyDrive({ driveRoot: drive, expectedHash: hash, strict: true }, ports, () => undefined);
}

describe("verifying an export", () => {
  const write = (blobs: string) =>
    writeFileSync(
      join(drive, "DriveManifest.xml"),
      `<DriveManifest Version="2014-11-01"><Drive><DriveId>E</DriveId><BlobList>${blobs}</BlobList></Drive></DriveManifest>`,
    );
  const blob = (name: string, length: number, list: string) =>
    `<Blob><BlobPath>c/${name}</BlobPath><FilePath>\\c\\${name}</FilePath><Length>${length}</Length>${list}</Blob>`;
  const part = (element: string, bytes: Buffer, offset: number, length: number) =>
    `<${element} Offset="${offset}" Length="${length}" Hash="${md5(bytes.subarray(offset, offset + length))}" />`;

  beforeEach(() => {
    rmSync(drive, { recursive: true });
    mkdirSync(drive);
    const disk = Buffer.concat([Buffer.alloc(1024, 0x50), Buffer.alloc(1024), Buffer.alloc(512, 0x50)]);
    const uneven = patternBytes(3000, 9);
    putFile(drive, "\\c\\disk.vhd", disk);
    putFile(drive, "\\c\\uneven", uneven);
    putFile(drive, "\\c\\plain", Buffer.from("no digests"));
    const pages = part("PageRange", disk, 0, 1024) + part("PageRange", disk, 2048, 512);
    const blocks =
      part("Block", uneven, 0, 1000) + part("Block", uneven, 1000, 1500) + part("Block", uneven, 2500, 500);
    write(
      blob("disk.vhd", 2560, `<PageRangeList>${pages}</PageRangeList>`) +
        blob("uneven", 3000, `<BlockList>${blocks}</BlockList>`) +
        blob("plain", 10, ""),
    );
    hash = md5(readFileSync(join(drive, "DriveManifest.xml")));
  });

  it("checks ranges of any length, and only the length where there are no digests", async () => {
    const { report, events } = await verify();
    expect(report).toMatchObject({ goodFiles: 3, problems: 0, uncheckedFiles: 1, exitCode: 0 });
    expect(events).toContainEqual(expect.objectContaining({ kind: "no-digests", filePath: "\\c\\plain" }));
    expect((await verify({ strict: true })).report.exitCode).toBe(4);
  });

  it("finds differences in ranges and between them", async () => {
    flipByte(join(drive, "c/disk.vhd"), 1500);
    flipByte(join(drive, "c/uneven"), 1000);
    const { report, problems } = await verify();
    expect(problems.map(({ kind, blobPath, offset, length }) => [kind, blobPath, offset, length]).sort()).toEqual([
      ["different", "c/uneven", 1000, 1500],
      ["not-zero", "c/disk.vhd", 1024, 1024],
    ]);
    expect(report).toMatchObject({ goodFiles: 1, badFiles: 2 });
  });

  it("finds uneven files that are missing or have another length", async () => {
    rmSync(join(drive, "c/uneven"));
    chmodSync(join(drive, "c/plain"), 0o600);
    appendFileSync(join(drive, "c/plain"), "!");
    const { problems } = await verify();
    expect(problems.map(({ kind, blobPath }) => [kind, blobPath]).sort()).toEqual([
      ["longer", "c/plain"],
      ["missing", "c/uneven"],
    ]);
  });
});
