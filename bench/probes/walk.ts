// Walks a tree as a preparation does, and does nothing with it: `walk <directory>`.
import { tmpdir } from "node:os";
import { walkDirectory } from "../../src/dataset/walk.ts";
import { nodeFileSystem } from "../../src/platform/file-system.ts";

const root = process.argv[2] as string;
let files = 0;
for (const entry of walkDirectory(nodeFileSystem, root, { platform: "linux", spillDirectory: tmpdir() })) {
  if (entry.kind === "file") files++;
}
process.stdout.write(`${files}\n`);
