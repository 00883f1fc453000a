// Writes or reads a manifest of 1,000,000 blobs of one segment: `manifest write|read <file>`.
import { closeSync, openSync } from "node:fs";
import { readManifest } from "../../src/manifest/manifest-reader.ts";
import { ManifestWriter } from "../../src/manifest/manifest-writer.ts";
import { nodeFileSystem } from "../../src/platform/file-system.ts";

const BLOBS = 1_000_000;
const [action, path] = process.argv.slice(2) as [string, string];

if (action === "write") write();
else process.stdout.write(`${readManifest(nodeFileSystem, path, {}).blobs}\n`);

function write(): void {
  const fd = openSync(path, "w");
  const writer = new ManifestWriter(nodeFileSystem, fd);
  const digests = Buffer.alloc(16);
  writer.begin({ driveId: "BENCH", clientCreator: "bench" });
  writer.beginBlobList({ id: "bench-0" });
  for (let index = 0; index < BLOBS; index++) {
    digests.writeUInt32LE(index, 3);
    const name = `folder ${Math.floor(index / 1000)}/file ${index}.jpg`;
    writer.writeBlob({
      blobPath: `data/${name}`,
      filePath: `\\bench-1\\0\\${name.replaceAll("/", "\\")}`,
      sizeBytes: 1024,
      disposition: "overwrite",
      blobType: "block",
      segmentBytes: 4_194_304,
      digests,
    });
  }
  writer.endBlobList();
  writer.end();
  closeSync(fd);
}
