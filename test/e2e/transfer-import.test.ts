/** From sources to blobs and back through the built command: prepare, import, compare; exit codes; a kill in the middle. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ContainerClient } from "@azure/storage-blob";
import {
  ContainerSASPermissions,
  generateBlobSASQueryParameters,
  StorageSharedKeyCredential,
} from "@azure/storage-blob";
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
});
afterEach(() => workspace.remove());

const KEY = "000011-000022-000033-000044-000055-000066-000077-000088";

interface Row {
  files: Readonly<Record<string, Uint8Array>>;
  to: string;
  type?: string;
  disposition?: string;
  metadata?: string;
  properties?: string;
}

/** Prepares one drive by the built command and leaves the account's connection string in `account.txt`. */
async function prepare(rows: readonly Row[]): Promise<void> {
  const { path } = workspace;
  mkdirSync(join(path, "drive"));
  const lines = rows.map((row, number) => {
    for (const [name, bytes] of Object.entries(row.files)) {
      mkdirSync(dirname(join(path, `source${number}`, name)), { recursive: true });
      writeFileSync(join(path, `source${number}`, name), bytes);
    }
    const sideFile = (kind: string, content: string | undefined): string => {
      if (content === undefined) return "None";
      writeFileSync(join(path, `${kind}${number}.xml`), content);
      return join(path, `${kind}${number}.xml`);
    };
    const sides = [sideFile("metadata", row.metadata), sideFile("properties", row.properties)];
    return [`${path}/source${number}/`, row.to, row.type ?? "BlockBlob", row.disposition ?? "rename", ...sides].join(
      ",",
    );
  });
  const header = "BasePath,DstItemPathOrPrefix,ItemType,Disposition,MetadataFile,PropertiesFile";
  writeFileSync(join(path, "data.csv"), `${[header, ...lines].join("\n")}\n`);
  writeFileSync(
    join(path, "drives.csv"),
    `DriveLetter,FormatOption,SilentOrPromptOnFormat,Encryption,ExistingBitLockerKey\n${path}/drive,AlreadyFormatted,SilentMode,AlreadyEncrypted,${KEY}\n`,
  );
  writeFileSync(join(path, "account.txt"), store.connectionString);
  const args = ["/j:trip.jrn", "/id:day#1", "/InitialDriveSet:drives.csv", "/DataSet:data.csv", "--quiet"];
  const { exitCode, stderr } = await workspace.run(["PrepImport", ...args]);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
}

const importDrive = (...more: string[]) =>
  workspace.run(["transfer", "import", "drive", "/j:trip.jrn", "--connection-string-file", "account.txt", ...more]);

function newContainer(): { name: string; client: ContainerClient } {
  const name = `e2e-${containers++}`;
  return { name, client: store.client.getContainerClient(name) };
}

/** Every committed blob with what the service tells of it. */
async function listed(client: ContainerClient) {
  const found = new Map<string, { metadata: Record<string, string>; contentType: string; sizeBytes: number }>();
  for await (const { name, metadata, properties } of client.listBlobsFlat({ includeMetadata: true })) {
    found.set(name, {
      metadata: metadata ?? {},
      contentType: properties.contentType ?? "",
      sizeBytes: properties.contentLength ?? 0,
    });
  }
  return found;
}

describe("the round trip", () => {
  it("brings every byte, property and metadata value of the sources into the account", async () => {
    const blocks = newContainer();
    const pages = newContainer();
    const files = {
      "a.txt": Buffer.from("alpha"),
      "below/big.bin": patternBytes(9 * 1024 * 1024 + 3, 1),
      "below/same.bin": Buffer.alloc(12 * 1024 * 1024, 3),
      "empty.dat": Buffer.alloc(0),
      "odd ä+&%20 name.txt": Buffer.from("odd"),
    };
    const disks = {
      "disk.vhd": Buffer.concat([patternBytes(1024, 4), Buffer.alloc(8 * 1024 * 1024), patternBytes(512, 5)]),
    };
    await prepare([
      {
        files,
        to: `${blocks.name}/in/`,
        metadata: "<Metadata><UploadMethod>by hand</UploadMethod><b>2</b></Metadata>",
        properties:
          "<Properties><Content-Type>text/plain</Content-Type><Content-MD5>Q2hlY2sgSW50ZWdyaXR5IQ==</Content-MD5><Cache-Control>no-cache</Cache-Control></Properties>",
      },
      { files: disks, to: `${pages.name}/`, type: "PageBlob", disposition: "overwrite" },
    ]);
    const { exitCode, stdout, stderr } = await importDrive("--log-level", "verbose", "--backup-manifest");
    expect({ exitCode, stderr: stderr.includes("error") }).toEqual({ exitCode: 0, stderr: false });
    expect(stdout).toContain("Completed");
    expect(stdout).toMatch(/_verbose\.xml\n.*_error\.xml\n.*_manifest\.xml/);

    const found = await listed(blocks.client);
    expect([...found.keys()].sort()).toEqual(
      Object.keys(files)
        .map((name) => `in/${name}`)
        .sort(),
    );
    for (const [name, bytes] of Object.entries(files)) {
      const blob = blocks.client.getBlobClient(`in/${name}`);
      const properties = await blob.getProperties();
      expect(properties.blobType).toBe("BlockBlob");
      expect(Buffer.from(properties.contentMD5 ?? []).toString()).toBe("Check Integrity!");
      expect(properties.cacheControl).toBe("no-cache");
      expect(found.get(`in/${name}`)).toEqual({
        metadata: { UploadMethod: "by hand", b: "2" },
        contentType: "text/plain",
        sizeBytes: bytes.length,
      });
      if (bytes.length > 0) expect(bytes.equals(await blob.downloadToBuffer()), name).toBe(true);
    }
    const disk = pages.client.getPageBlobClient("disk.vhd");
    expect(await disk.getProperties()).toMatchObject({ blobType: "PageBlob", metadata: {} });
    expect(disks["disk.vhd"].equals(await disk.downloadToBuffer())).toBe(true);
  });

  it("of 2,000 files", async () => {
    const { name, client } = newContainer();
    const files = Object.fromEntries(
      Array.from({ length: 2000 }, (_, i) => [`d${i % 20}/f${i}.txt`, Buffer.from(`file number ${i}`)]),
    );
    await prepare([{ files, to: `${name}/` }]);
    const { exitCode, stdout } = await importDrive("--json");
    expect(exitCode).toBe(0);
    expect(jsonLines(stdout).at(-1)).toMatchObject({
      type: "transfer-import",
      totalBlobs: 2000,
      blobs: { Completed: 2000 },
      dispositions: { Created: 2000 },
    });
    const found = await listed(client);
    expect(found.size).toBe(2000);
    for (const [path, bytes] of Object.entries(files)) expect(found.get(path)?.sizeBytes).toBe(bytes.length);
    for (const path of ["d0/f0.txt", "d7/f1007.txt", "d19/f1999.txt"]) {
      expect((await client.getBlobClient(path).downloadToBuffer()).equals(files[path] ?? Buffer.alloc(0))).toBe(true);
    }
  });

  it("through one container by its SAS, logs included", async () => {
    const { name, client } = newContainer();
    await client.create();
    await prepare([{ files: { "a.txt": Buffer.from("alpha") }, to: `${name}/` }]);
    const sas = generateBlobSASQueryParameters(
      {
        containerName: name,
        permissions: ContainerSASPermissions.parse("rwdl"),
        expiresOn: new Date("2099-01-01T00:00:00Z"),
      },
      new StorageSharedKeyCredential(store.account, store.key),
    );
    writeFileSync(join(workspace.path, "sas.txt"), `${name}?${sas}`);
    const { exitCode, stdout, stderr } = await workspace.run([
      ...["transfer", "import", "drive", "/j:trip.jrn", "--endpoint", store.url, "--sas-file", "sas.txt"],
    ]);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(stdout).not.toContain("sig=");
    const names = [...(await listed(client)).keys()];
    expect(names).toEqual([
      "a.txt",
      expect.stringMatching(/^waimportexport\/waies\/transfer_MOCK[0-9A-F]+_.*_error\.xml$/),
    ]);
  });
});

describe("exit codes", () => {
  const one = () => prepare([{ files: { "a.txt": Buffer.from("alpha") }, to: `${newContainer().name}/` }]);

  it("3: a damaged file; the log explains it", async () => {
    const { name, client } = newContainer();
    await prepare([{ files: { "a.txt": Buffer.from("alpha"), "b.txt": Buffer.from("beta") }, to: `${name}/` }]);
    writeFileSync(join(workspace.path, "drive", "day#1", "0", "b.txt"), "BETA");
    const { exitCode, stdout, stderr } = await importDrive();
    expect(exitCode).toBe(3);
    expect(stderr).toContain(`"${name}/b.txt": CompletedWithErrors`);
    const uri = /\S+_error\.xml/.exec(stdout)?.[0] ?? "";
    const log = store.client.getContainerClient("waimportexport").getBlobClient(uri.slice(uri.indexOf("waies/")));
    writeFileSync(join(workspace.path, "error.xml"), await log.downloadToBuffer());
    const explained = await workspace.run(["copy-log", "explain", "error.xml"]);
    expect(explained.exitCode).toBe(3);
    expect(explained.stdout).toContain("Corrupted (block or range), in 1 entry");
    expect(explained.stdout).toContain("the content does not match its hash");
    expect([...(await listed(client)).keys()]).toEqual(["a.txt"]);
  });

  it("4 and 9: another manifest, a damaged one", async () => {
    await one();
    const manifest = join(workspace.path, "drive", "DriveManifest.xml");
    writeFileSync(manifest, `${readFileSync(manifest, "utf8")}\n`);
    const changed = await importDrive();
    expect(changed).toMatchObject({ exitCode: 4 });
    expect(changed.stdout).toContain("ManifestCorrupted");
    writeFileSync(manifest, "<DriveManifest>");
    const account = ["--connection-string-file", "account.txt"];
    expect((await workspace.run(["transfer", "import", "drive", ...account])).exitCode).toBe(9);
  });

  it("2: no account, two credentials, http to another machine", async () => {
    await one();
    const run = (...args: string[]) => workspace.run(["transfer", "import", "drive", "/j:trip.jrn", ...args]);
    expect(await run()).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("ENDPOINT_INVALID") });
    const far = await run("--endpoint", "http://example.com/acct", "/sk:AAAA");
    expect(far).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("plain http") });
    const two = await run("--endpoint", store.url, "/sk:AAAA", "/csas:c?sv=1&sr=c&sig=x");
    expect(two.exitCode).toBe(2);
  });

  it("10: a wrong key, which is never printed", async () => {
    await one();
    const key = Buffer.alloc(64, 9).toString("base64");
    const { exitCode, stdout, stderr } = await workspace.run([
      ...["transfer", "import", "drive", "/j:trip.jrn", "--endpoint", store.url, `/sk:${key}`, "--json"],
    ]);
    expect(exitCode).toBe(10);
    expect(jsonLines(stdout).at(-1)).toMatchObject({ type: "error", code: "ACCESS_REFUSED" });
    expect(stdout + stderr).not.toContain(key);
  });

  it("11: nobody answers", async () => {
    await one();
    writeFileSync(join(workspace.path, "account.txt"), store.connectionString.replace(/:\d+\//, ":9/"));
    const { exitCode, stderr } = await importDrive("--tries", "1");
    expect(exitCode).toBe(11);
    expect(stderr).toContain("run the same command again to go on");
  });
});

describe("a kill in the middle", () => {
  it("loses nothing and doubles nothing", async () => {
    const { name, client } = newContainer();
    const files = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`f${i}.bin`, patternBytes(20_000 + i, i)]));
    await prepare([{ files, to: `${name}/` }]);
    const killed = await workspace.run(
      ["transfer", "import", "drive", "/j:trip.jrn", "--connection-string-file", "account.txt", "--json"],
      {
        onStart: (child) => {
          const transfers = join(workspace.path, ".state", "transfers");
          // As soon as some blobs are noted, and long before all are.
          const timer = setInterval(() => {
            try {
              const [state = ""] = readdirSync(transfers).filter((entry) => !entry.endsWith(".lock"));
              const lines = readFileSync(join(transfers, state, "blobs.jsonl"), "utf8").split('"o":').length;
              if (lines > 40) child.kill("SIGKILL");
            } catch {
              // Not there yet.
            }
          }, 5);
          child.on("exit", () => clearInterval(timer));
        },
      },
    );
    expect(killed.signal).toBe("SIGKILL");
    const { exitCode, stdout } = await importDrive("--json");
    expect(exitCode).toBe(0);
    const report = jsonLines(stdout).at(-1);
    expect(report).toMatchObject({ blobs: { Completed: 300 }, dispositions: { Created: 300 } });
    expect(report?.earlierBlobs).toBeGreaterThan(30);
    expect([...(await listed(client)).keys()].sort()).toEqual(Object.keys(files).sort());
    for (const path of ["f0.bin", "f150.bin", "f299.bin"]) {
      expect((await client.getBlobClient(path).downloadToBuffer()).equals(files[path] ?? Buffer.alloc(0))).toBe(true);
    }
  });
});
