/** The switches of PrepImport as the request that the preparation takes: paths made absolute, sizes in bytes. */
import { posix, win32 } from "node:path";
import type { PrepOptions, PrepRequest } from "../prep/prep-contract.ts";
import { readAccountKey } from "./account-key.ts";
import { requireCount, requirePairs, requireSize } from "./amounts.ts";
import type { CommandContext } from "./command-context.ts";
import type { Switches } from "./switches.ts";

export const MAX_WORKERS = 64;

export function readPrepRequest(switches: Switches, context: CommandContext): PrepRequest {
  const resolve = pathResolver(context);
  const path = (name: string): string | undefined => optional(switches.value(name), resolve);
  return {
    journalPath: resolve(switches.value("journal") ?? ""),
    ...given("sessionId", switches.value("id")),
    ...given("dataSetPath", path("dataset")),
    ...given("initialDriveSetPath", path("initial-drive-set")),
    ...given("additionalDriveSetPath", path("additional-drive-set")),
    ...given("logDirectory", path("logdir")),
    ...given("storageAccountKey", readAccountKey(switches, context, resolve)),
    silentMode: switches.flag("silent-mode"),
    resumeSession: switches.flag("resume-session"),
    abortSession: switches.flag("abort-session"),
    options: readOptions(switches),
  };
}

function readOptions(switches: Switches): PrepOptions {
  const capacities = requirePairs("--drive-capacity", switches.values("drive-capacity"), "<drive>=<size>");
  const imageSizes = requirePairs("--image-size", switches.values("image-size"), "<path>=<size>");
  return {
    include: switches.values("include"),
    exclude: switches.values("exclude"),
    links: switches.value("links") === "fail" ? "fail" : "notice",
    distribute: switches.value("distribute") === "spread" ? "spread" : "fill",
    ...given("disposition", switches.value("disposition") as PrepOptions["disposition"]),
    largeBlocks: switches.flag("large-blocks"),
    encryption: switches.value("encryption") === "mock" ? "mock" : "auto",
    requireEncryption: switches.flag("require-encryption"),
    allowUnencryptedSecrets: switches.flag("allow-unencrypted-secrets"),
    driveCapacity: new Map([...capacities].map(([drive, size]) => [drive, requireSize("--drive-capacity", size)])),
    imageSizes: new Map([...imageSizes].map(([image, size]) => [image, requireSize("--image-size", size)])),
    driveIds: requirePairs("--drive-id", switches.values("drive-id"), "<path>=<id>"),
    giveUpDrives: switches.values("give-up-drive"),
    confirmDrives: switches.values("confirm-drive"),
    breakLock: switches.flag("break-lock"),
    verify: switches.flag("verify"),
    ioMode: (switches.value("io-mode") as PrepOptions["ioMode"] | undefined) ?? "auto",
    ...given(
      "workers",
      optional(switches.value("workers"), (text) => requireCount("--workers", text, MAX_WORKERS)),
    ),
    ...given(
      "bandwidthLimit",
      optional(switches.value("bandwidth-limit"), (text) =>
        requireSize("--bandwidth-limit", text.replace(/\/s$/i, "")),
      ),
    ),
  };
}

/** Relative paths count from the current directory. */
export function pathResolver(context: Pick<CommandContext, "platform" | "cwd">): (path: string) => string {
  const { resolve } = context.platform === "win32" ? win32 : posix;
  return (path) => resolve(context.cwd, path);
}

function optional<T>(text: string | undefined, read: (text: string) => T): T | undefined {
  return text === undefined ? undefined : read(text);
}

/** A property that is absent rather than undefined. */
function given<K extends string, T>(name: K, value: T | undefined): { [P in K]?: T } {
  return value === undefined ? {} : ({ [name]: value } as { [P in K]?: T });
}
