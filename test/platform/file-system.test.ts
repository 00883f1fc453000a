import { realpathSync, symlinkSync } from "node:fs";
import { nodeFileSystem } from "../../src/platform/file-system.ts";
import { describeFileSystem } from "./file-system-conformance.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

describeFileSystem("the machine's file system", () => ({
  fs: nodeFileSystem,
  root: realpathSync(temporaryDirectory()),
  symlink: symlinkSync,
  remove: () => {},
}));
