/** Parses /proc/<pid>/mountinfo and /proc/swaps (proc(5)). */

export interface Mount {
  /** `major:minor` of the mounted device; major 0 where the file system has none. */
  device: string;
  /** The directory of the file system that is mounted: `/` unless it is a bind mount or a subvolume. */
  root: string;
  mountPoint: string;
  readOnly: boolean;
  fileSystem: string;
  /** Device path, share or a mere word. */
  source: string;
}

/** In mount order: a later one hides an earlier one at the same place. Lines of a form not known are passed over. */
export function parseMountinfo(text: string): Mount[] {
  const mounts: Mount[] = [];
  for (const line of text.split("\n")) {
    const fields = line.split(" ");
    // Optional fields of any number end with a single dash.
    const dash = fields.indexOf("-", 6);
    const [device, root, mountPoint, options] = fields.slice(2, 6);
    const [fileSystem, source, superOptions] = dash === -1 ? [] : fields.slice(dash + 1);
    if (device === undefined || root === undefined || mountPoint === undefined || fileSystem === undefined) continue;
    mounts.push({
      device,
      root: unescapeOctal(root),
      mountPoint: unescapeOctal(mountPoint),
      readOnly: isReadOnly(options) || isReadOnly(superOptions),
      fileSystem,
      source: unescapeOctal(source ?? ""),
    });
  }
  return mounts;
}

/** Devices and files of /proc/swaps. */
export function parseSwaps(text: string): string[] {
  return text
    .split("\n")
    .slice(1)
    .map((line) => unescapeOctal(line.split(/\s/, 1)[0] ?? ""))
    .filter((name) => name.startsWith("/"));
}

/** The mount that `path` lies on. */
export function mountOf(mounts: readonly Mount[], path: string): Mount | undefined {
  let best: Mount | undefined;
  for (const mount of mounts) {
    const prefix = mount.mountPoint.endsWith("/") ? mount.mountPoint : `${mount.mountPoint}/`;
    const holds = path === mount.mountPoint || path.startsWith(prefix);
    if (holds && (best === undefined || mount.mountPoint.length >= best.mountPoint.length)) best = mount;
  }
  return best;
}

function isReadOnly(options = ""): boolean {
  return options.split(",").includes("ro");
}

/** Blank, tab, newline and backslash are written as three octal digits, byte by byte. */
function unescapeOctal(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_escape, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
