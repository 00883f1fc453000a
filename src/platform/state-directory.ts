/**
 * Where this tool keeps what belongs to the machine and its user, not to one journal: drive locks, states of mock drives.
 * Never on a drive.
 */
import { posix, win32 } from "node:path";
import { AppError, describeErrno } from "./app-error.ts";
import { makeDirectories } from "./durable-file.ts";
import type { FileSystem } from "./file-system.ts";

const NAME = "waimportexport";

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The directory by platform convention: `%LOCALAPPDATA%` on Windows, `~/Library/Application Support` on macOS,
 * `$XDG_STATE_HOME` or `~/.local/state` elsewhere. `WAIMPORTEXPORT_STATE_DIR` names it outright.
 */
export function stateDirectoryPath(platform: NodeJS.Platform, env: Environment, homeDirectory: string): string {
  const own = env.WAIMPORTEXPORT_STATE_DIR;
  const { isAbsolute, join } = platform === "win32" ? win32 : posix;
  if (own) {
    if (isAbsolute(own)) return own;
    throw new AppError("USAGE_BAD_VALUE", `WAIMPORTEXPORT_STATE_DIR is "${own}", which is not an absolute path`);
  }
  if (platform === "win32") return join(env.LOCALAPPDATA || join(homeDirectory, "AppData", "Local"), NAME);
  if (platform === "darwin") return join(homeDirectory, "Library", "Application Support", NAME);
  // The convention says that a relative XDG_STATE_HOME is to be ignored.
  const xdg = env.XDG_STATE_HOME;
  return join(xdg && isAbsolute(xdg) ? xdg : join(homeDirectory, ".local", "state"), NAME);
}

/** Makes the directory, for this user alone. */
export function openStateDirectory(fs: FileSystem, path: string): string {
  try {
    makeDirectories(fs, path, 0o700);
  } catch (error) {
    throw new AppError("STATE_DIR_UNUSABLE", `cannot make the state directory "${path}": ${describeErrno(error)}`, {
      cause: error,
    });
  }
  return path;
}
