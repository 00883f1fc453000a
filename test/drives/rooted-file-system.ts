import { type FileSystem, nodeFileSystem } from "../../src/platform/file-system.ts";

/** The real file system seen from `base` as its root, so that a recorded machine can be looked at by absolute paths. */
export function rootedFileSystem(base: string): FileSystem {
  const real = nodeFileSystem;
  return {
    ...real,
    open: (path, flags, mode) => real.open(base + path, flags, mode),
    lstat: (path) => real.lstat(base + path),
    stat: (path) => {
      const stat = real.stat(base + path);
      // Devices are played by files.
      return path.startsWith("/dev/") && stat.kind === "file" ? { ...stat, kind: "block-device" } : stat;
    },
    readdir: (path) => real.readdir(base + path),
    openDirectory: (path) => real.openDirectory(base + path),
    unlink: (path) => real.unlink(base + path),
    realpath: (path) => real.realpath(base + path).slice(base.length) || "/",
    statfs: (path) => real.statfs(base + path),
  };
}
