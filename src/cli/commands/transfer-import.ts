/** `transfer import`: a prepared drive into a blob endpoint. */
import { createAzureBlobAccount } from "../../blobs/azure-blob-account.ts";
import { systemClock } from "../../platform/clock.ts";
import { createTransferPorts } from "../../transfer/create-transfer-ports.ts";
import type { TransferImportRequest } from "../../transfer/import-contract.ts";
import { transferImport } from "../../transfer/import-drive.ts";
import { importReportText } from "../../ui/transfer-text.ts";
import { createTransferView } from "../../ui/transfer-view.ts";
import type { CommandContext } from "../command-context.ts";
import { readExpectedManifest } from "../expected-manifest.ts";
import { pathResolver } from "../prep-request.ts";
import { readEndpoint } from "../read-endpoint.ts";
import { exitCodeOfStop, watchSignals } from "../signals.ts";
import type { CommandFunction } from "../switch-table.ts";
import type { Switches } from "../switches.ts";
import { readCommonTransfer, resolveDrive } from "../transfer-request.ts";

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
    const account = await createAzureBlobAccount(endpoint, {
      signal: interruption.signal,
      ...readCommonTransfer(switches).account,
    });
    const ports = createTransferPorts(context, account);
    const report = await transferImport({ ...request, signal: interruption.signal }, ports, (event) =>
      view.show(event),
    );
    view.close();
    output.result("transfer-import", report, () => importReportText(report, output.resultTerminal));
    return report.exitCode;
  } catch (error) {
    view.close();
    return exitCodeOfStop(error, interruption, output);
  } finally {
    interruption.dispose();
  }
};

function readRequest(switches: Switches, drive: string, context: CommandContext): TransferImportRequest {
  const resolvePath = pathResolver(context);
  const driveRoot = resolveDrive(drive, context, resolvePath);
  const manifestFile = switches.value("manifest-file");
  return {
    driveRoot,
    ...readExpectedManifest(switches, driveRoot, resolvePath),
    ...(manifestFile === undefined ? {} : { manifestFile }),
    ...readCommonTransfer(switches).request,
  };
}
