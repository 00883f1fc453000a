/** `transfer import`: a prepared drive into a blob endpoint. */
import { createAzureBlobAccount } from "../../blobs/azure-blob-account.ts";
import { systemClock } from "../../platform/clock.ts";
import type { ExitCode } from "../../platform/exit-codes.ts";
import { createTransferPorts } from "../../transfer/create-transfer-ports.ts";
import type { TransferImportRequest } from "../../transfer/import-contract.ts";
import { transferImport } from "../../transfer/import-drive.ts";
import { importReportText } from "../../ui/transfer-text.ts";
import { createTransferView } from "../../ui/transfer-view.ts";
import { requireCount } from "../amounts.ts";
import type { CommandContext } from "../command-context.ts";
import { readEndpoint } from "../endpoint-switches.ts";
import { readExpectedManifest } from "../expected-manifest.ts";
import { pathResolver } from "../prep-request.ts";
import { exitCodeOfStop, watchSignals } from "../signals.ts";
import type { CommandFunction } from "../switch-table.ts";
import type { Switches } from "../switches.ts";

const MAX_PARALLEL = 256;

export const transferImportCommand: CommandFunction = async (switches, [drive = ""], context) => {
  const { output } = context;
  const endpoint = readEndpoint(switches, context, pathResolver(context));
  const request = readRequest(switches, drive, context);
  const interruption = watchSignals(
    () => output.diagnosis("\nstopping; the same command goes on from here\n"),
    () => output.close(),
  );
  const view = createTransferView(output, context.stderr, systemClock);
  try {
    const account = await createAzureBlobAccount(endpoint, { signal: interruption.signal });
    const ports = createTransferPorts(context, account);
    const report = await transferImport({ ...request, signal: interruption.signal }, ports, (event) =>
      view.show(event),
    );
    view.close();
    output.result("transfer-import", report, () => importReportText(report, output.resultTerminal));
    return report.exitCode;
  } catch (error) {
    view.close();
    return exitCodeOfStop(error, interruption, output) as ExitCode;
  } finally {
    view.close();
    interruption.dispose();
  }
};

function readRequest(switches: Switches, drive: string, context: CommandContext): TransferImportRequest {
  const resolvePath = pathResolver(context);
  const driveRoot = resolveDrive(drive, context, resolvePath);
  const parallel = switches.value("parallel");
  return {
    driveRoot,
    ...readExpectedManifest(switches, driveRoot, resolvePath),
    ...given("manifestFile", switches.value("manifest-file")),
    jobName: switches.value("job-name") ?? "transfer",
    ...given("diagnosticsPath", switches.value("diagnostics-path")),
    logLevel: switches.value("log-level") === "verbose" ? "verbose" : "error",
    backupDriveManifest: switches.flag("backup-manifest"),
    restart: switches.flag("restart"),
    ...(parallel === undefined ? {} : { parallel: requireCount("--parallel", parallel, MAX_PARALLEL) }),
  };
}

/** `G`, `G:` and `G:\` are the same drive on Windows; `G:` alone would be its current directory. */
function resolveDrive(drive: string, { platform }: CommandContext, resolvePath: (path: string) => string): string {
  return platform === "win32" && /^[A-Za-z]:?$/.test(drive) ? `${drive.slice(0, 1)}:\\` : resolvePath(drive);
}

function given<K extends string>(name: K, value: string | undefined): { [P in K]?: string } {
  return value === undefined ? {} : ({ [name]: value } as { [P in K]?: string });
}
