/** `transfer export`: chosen blobs of an account onto drives. */
import { readFileSync } from "node:fs";
import { createAzureBlobAccount } from "../../blobs/azure-blob-account.ts";
import { type BlobSelector, parseBlobList, toBlobSelector, toPrefixSelector } from "../../blobs/blob-list.ts";
import { planCapacity } from "../../drives/capacity.ts";
import { isUnmounted } from "../../drives/drive.ts";
import { createDriveProbe } from "../../drives/probe.ts";
import { DriveRefusedError, describeErrno, UsageError } from "../../platform/app-error.ts";
import { systemClock } from "../../platform/clock.ts";
import { nodeFileSystem } from "../../platform/file-system.ts";
import { systemProcessRunner } from "../../platform/processes.ts";
import { probeFlush } from "../../platform/volume-flush.ts";
import { createTransferPorts } from "../../transfer/create-transfer-ports.ts";
import type { ExportDrive, TransferExportRequest } from "../../transfer/export-contract.ts";
import { transferExport } from "../../transfer/export-drives.ts";
import { exportReportText } from "../../ui/transfer-text.ts";
import { createTransferView } from "../../ui/transfer-view.ts";
import { requirePairs, requireSize } from "../amounts.ts";
import type { CommandContext } from "../command-context.ts";
import { pathResolver } from "../prep-request.ts";
import { readEndpoint } from "../read-endpoint.ts";
import { exitCodeOfStop, watchSignals } from "../signals.ts";
import type { CommandFunction } from "../switch-table.ts";
import type { Switches } from "../switches.ts";
import { readCommonTransfer, resolveDrive } from "../transfer-request.ts";

export const transferExportCommand: CommandFunction = async (switches, _args, context) => {
  const { output } = context;
  const endpoint = readEndpoint(switches, context, pathResolver(context));
  const selectors = readSelectors(switches, context);
  const drives = await readDrives(switches, context);
  const interruption = watchSignals(
    () => output.diagnosis("\nstopping; the same command goes on from here\n"),
    () => output.close(),
  );
  const view = createTransferView(output, context.stderr, systemClock);
  try {
    const common = readCommonTransfer(switches);
    const account = await createAzureBlobAccount(endpoint, { signal: interruption.signal, ...common.account });
    const incomplete = switches.value("incomplete-list");
    const request: TransferExportRequest = {
      selectors,
      drives,
      ...common.request,
      ...(incomplete === undefined ? {} : { incompleteListPath: pathResolver(context)(incomplete) }),
      signal: interruption.signal,
    };
    const report = await transferExport(request, createTransferPorts(context, account), (event) =>
      view.showExport(event),
    );
    view.close();
    output.result("transfer-export", report, () => exportReportText(report, output.resultTerminal));
    return report.exitCode;
  } catch (error) {
    view.close();
    return exitCodeOfStop(error, interruption, output);
  } finally {
    interruption.dispose();
  }
};

function readSelectors(switches: Switches, context: CommandContext): BlobSelector[] {
  const selectors = [
    ...switches.values("blob").map((path) => toBlobSelector(path)),
    ...switches.values("prefix").map(toPrefixSelector),
  ];
  const list = switches.value("blob-list");
  if (list !== undefined) selectors.push(...parseBlobList(readList(pathResolver(context)(list)), list));
  if (selectors.length > 0) return selectors;
  throw new UsageError("USAGE_MISSING_SWITCH", "nothing says which blobs to export", {
    hint: "give --blob-list, --prefix or --blob; --prefix / is everything",
  });
}

function readList(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError("BLOB_LIST_INVALID", `cannot read the blob list "${path}": ${describeErrno(error)}`, {
      hint: "check the path and its permissions",
      cause: error,
    });
  }
}

async function readDrives(switches: Switches, context: CommandContext): Promise<ExportDrive[]> {
  const places = switches.values("drive");
  if (places.length === 0) {
    throw new UsageError("USAGE_MISSING_SWITCH", "no drive was given", { hint: "give --drive once for each drive" });
  }
  const resolvePath = pathResolver(context);
  const resolve = (place: string): string => resolveDrive(place, context, resolvePath);
  const byPlace = (pairs: Map<string, string>): Map<string, string> =>
    new Map([...pairs].map(([place, value]) => [resolve(place), value]));
  const ids = byPlace(requirePairs("--drive-id", switches.values("drive-id"), "<path>=<id>"));
  const sizes = byPlace(requirePairs("--drive-capacity", switches.values("drive-capacity"), "<drive>=<size>"));
  const probe = createDriveProbe(context.platform, nodeFileSystem, systemProcessRunner);
  const drives: ExportDrive[] = [];
  for (const place of places.map(resolve)) {
    const id = ids.get(place);
    const drive = await probe.probe(place, id === undefined ? {} : { idOverride: id });
    if (isUnmounted(drive)) {
      throw new DriveRefusedError(
        "DRIVE_KIND_UNSUPPORTED",
        `"${place}" is not mounted, so nothing can be exported to it`,
        {
          hint: "mount it and give its mount point",
        },
      );
    }
    const size = sizes.get(place);
    const cap = size === undefined ? undefined : requireSize("--drive-capacity", size);
    drives.push({
      driveId: drive.driveId,
      root: drive.root,
      capacityBytes: planCapacity(drive, cap),
      clusterBytes: drive.clusterBytes,
      flushMethod: await probeFlush(systemProcessRunner, context.platform, drive.root),
    });
  }
  return drives;
}
