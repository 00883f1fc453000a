/** From blobs onto drives through the built command, and on: verify, prepare the exported files, import the drive. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ContainerClient } from "@azure/storage-blob";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startBlobStore, type TestStore } from "../support/azurite.ts";
import { patternBytes } from "../verify/prepared-drive.ts";
import { createWorkspace, jsonLines, type Workspace } from "./run-cli.ts";

let store: TestStore;
let workspace: Workspace;
let containers = 0;
beforeAll(async () => {
  store = await startBlobStore();
});
afterAll(() => store.stop());
beforeEach(() => {
  workspace = createWorkspace();
  writeFileSync(join(workspace.path, "account.txt"), store.connectionString);
  for (const name of ["d1", "d2"]) mkdirSync(join(workspace.path, name));
});
afterEach(() => workspace.remove());

const CONTENT = { "a.txt": Buffer.from("alpha"), "b/c.bin": patternBytes(5 * 1024 * 1024, 1), empty: Buffer.alloc(0) };

async function newContainer(): Promise<{ name: string; client: ContainerClient }> {
  const name = `e2e-export-${containers++}`;
  const client = store.client.getContainerClient(name);
  await client.create();
  for (const [blob, bytes] of Object.entries(CONTENT)) {
    await client.getBlockBlobClient(blob).upload(bytes, bytes.length, { metadata: { UploadMethod: blob.slice(0, 1) } });
  }
  return { name, client };
}

const exportBlobs = (...more: string[]) =>
  workspace.run(["transfer", "export", "--connection-string-file", "account.txt", ...more]);

describe("transfer export", () => {
  it("writes a drive that verifies, imports and can be prepared from", async () => {
    const { name, client } = await newContainer();
    const { exitCode, stdout } = await exportBlobs("--prefix", `/${name}/`, "--drive", "d1", "--json");
    expect(exitCode).toBe(0);
    const report = jsonLines(stdout).at(-1) as unknown as { drives: { manifestFile: string; manifestHash: string }[] };
    expect(report).toMatchObject({ type: "transfer-export", exportedBlobs: 3, incompleteBlobs: 0, exitCode: 0 });
    const [{ manifestFile = "", manifestHash = "" } = {}] = report.drives;
    expect(manifestFile).toMatch(/^\\MOCK[0-9A-F]{12}\.manifest$/);
    for (const [blob, bytes] of Object.entries(CONTENT)) {
      expect(bytes.equals(readFileSync(join(workspace.path, "d1", name, blob))), blob).toBe(true);
    }
    const where = ["--manifest-file", manifestFile, "--manifest-hash", manifestHash];
    expect(await workspace.run(["verify", "d1", "--strict", ...where])).toMatchObject({ exitCode: 0 });

    await client.delete();
    const account = ["--connection-string-file", "account.txt"];
    expect(await workspace.run(["transfer", "import", "d1", ...where, ...account])).toMatchObject({ exitCode: 0 });
    for (const [blob, bytes] of Object.entries(CONTENT)) {
      const now = client.getBlobClient(blob);
      if (bytes.length > 0) expect(bytes.equals(await now.downloadToBuffer()), blob).toBe(true);
      expect((await now.getProperties()).metadata).toEqual({ uploadmethod: blob.slice(0, 1) });
    }

    writeFileSync(
      join(workspace.path, "data.csv"),
      `BasePath,DstItemPathOrPrefix,ItemType,Disposition,MetadataFile,PropertiesFile\n${workspace.path}/d1/${name}/,again-${name}/,BlockBlob,rename,None,None\n`,
    );
    writeFileSync(
      join(workspace.path, "drives.csv"),
      `DriveLetter,FormatOption,SilentOrPromptOnFormat,Encryption,ExistingBitLockerKey\n${workspace.path}/d2,AlreadyFormatted,SilentMode,AlreadyEncrypted,000011-000022-000033-000044-000055-000066-000077-000088\n`,
    );
    const prep = ["/j:trip.jrn", "/id:day#1", "/InitialDriveSet:drives.csv", "/DataSet:data.csv"];
    expect(await workspace.run(["PrepImport", ...prep])).toMatchObject({ exitCode: 0 });
    const again = await workspace.run(["transfer", "import", "d2", "/j:trip.jrn", ...account]);
    expect(again.exitCode).toBe(0);
    const copy = store.client.getContainerClient(`again-${name}`).getBlobClient("b/c.bin");
    expect(CONTENT["b/c.bin"].equals(await copy.downloadToBuffer())).toBe(true);
  });

  it("by a blob list onto two drives, and the rest onto a third", async () => {
    const { name } = await newContainer();
    writeFileSync(
      join(workspace.path, "list.xml"),
      `<?xml version="1.0"?><BlobList><BlobPathPrefix>/${name}/</BlobPathPrefix><BlobPath>${name}/nowhere</BlobPath></BlobList>`,
    );
    const capacity = ["--drive-capacity", "d1=1MiB", "--drive-capacity", "d2=1MiB"];
    const { exitCode, stdout } = await exportBlobs(
      ...[
        "/ExportBlobListFile:list.xml",
        "--drive",
        "d1",
        "--drive",
        "d2",
        "--incomplete-list",
        "left.xml",
        ...capacity,
      ],
    );
    expect(exitCode).toBe(3);
    expect(stdout).toContain("2 of 3 blobs");
    expect(stdout).toContain("chose nothing    1 path or prefix");
    expect(readdirSync(join(workspace.path, "d2"))).toEqual([]);
    mkdirSync(join(workspace.path, "d3"));
    const rest = await exportBlobs("--blob-list", "left.xml", "--drive", "d3");
    expect(rest).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("1 of 1 blob") });
    expect(readdirSync(join(workspace.path, "d3", name, "b")).sort()).toEqual([
      "c.bin",
      "c.bin.metadata",
      "c.bin.properties",
    ]);
  });

  it.each<[string, string[], string]>([
    ["no blobs", ["--drive", "d1"], "USAGE_MISSING_SWITCH"],
    ["no drive", ["--prefix", "/"], "USAGE_MISSING_SWITCH"],
    ["a prefix without its slash", ["--prefix", "box", "--drive", "d1"], "BLOB_LIST_INVALID"],
    ["a blob without container", ["--blob", "name", "--drive", "d1"], "BLOB_LIST_INVALID"],
    ["no such list", ["--blob-list", "nowhere.xml", "--drive", "d1"], "BLOB_LIST_INVALID"],
    ["one drive twice", ["--prefix", "/", "--drive", "d1", "--drive", "d1"], "DRIVE_DUPLICATE"],
    ["no such drive", ["--prefix", "/", "--drive", "nowhere"], "DRIVE_NOT_FOUND"],
  ])("refuses %s", async (_, args, code) => {
    const { exitCode, stdout } = await exportBlobs(...args, "--json");
    expect(exitCode).not.toBe(0);
    expect(jsonLines(stdout).at(-1)).toMatchObject({ type: "error", code });
  });

  it("exit code 11 when nobody answers", async () => {
    writeFileSync(join(workspace.path, "account.txt"), store.connectionString.replace(/:\d+\//, ":9/"));
    expect((await exportBlobs("--prefix", "/", "--drive", "d1", "--tries", "1")).exitCode).toBe(11);
  });
});
