/** What both directions of a transfer take from the command line. */
import type { AzureAccountOptions } from "../blobs/azure-blob-account.ts";
import type { TransferImportRequest } from "../transfer/import-contract.ts";
import { requireCount } from "./amounts.ts";
import type { CommandContext } from "./command-context.ts";
import type { Switches } from "./switches.ts";

const MAX_PARALLEL = 256;
const MAX_TRIES = 100;

type CommonRequest = Pick<
  TransferImportRequest,
  "jobName" | "diagnosticsPath" | "logLevel" | "backupDriveManifest" | "restart" | "parallel"
>;

export function readCommonTransfer(switches: Switches): { request: CommonRequest; account: AzureAccountOptions } {
  const parallel = switches.value("parallel");
  const tries = switches.value("tries");
  const diagnosticsPath = switches.value("diagnostics-path");
  return {
    request: {
      jobName: switches.value("job-name") ?? "transfer",
      ...(diagnosticsPath === undefined ? {} : { diagnosticsPath }),
      logLevel: switches.value("log-level") === "verbose" ? "verbose" : "error",
      backupDriveManifest: switches.flag("backup-manifest"),
      restart: switches.flag("restart"),
      ...(parallel === undefined ? {} : { parallel: requireCount("--parallel", parallel, MAX_PARALLEL) }),
    },
    account: tries === undefined ? {} : { maxTries: requireCount("--tries", tries, MAX_TRIES) },
  };
}

/** `G`, `G:` and `G:\` are the same drive on Windows; `G:` alone would be its current directory. */
export function resolveDrive(
  drive: string,
  { platform }: Pick<CommandContext, "platform">,
  resolvePath: (path: string) => string,
): string {
  return platform === "win32" && /^[A-Za-z]:?$/.test(drive) ? `${drive.slice(0, 1)}:\\` : resolvePath(drive);
}
