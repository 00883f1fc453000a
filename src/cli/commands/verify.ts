/** `verify`: a prepared drive against its manifest, and the manifest against its hash. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createThreadedCopyEngine } from "../../copy/threaded-engine.ts";
import { findPathProblem, splitDrivePath } from "../../manifest/drive-file-path.ts";
import { UsageError } from "../../platform/app-error.ts";
import { systemClock } from "../../platform/clock.ts";
import type { ExitCode } from "../../platform/exit-codes.ts";
import { joinPath } from "../../platform/file-path.ts";
import { nodeFileSystem } from "../../platform/file-system.ts";
import { verificationText } from "../../ui/verify-text.ts";
import { createVerifyView } from "../../ui/verify-view.ts";
import type { VerifyRequest } from "../../verify/verify-contract.ts";
import { verifyDrive } from "../../verify/verify-drive.ts";
import { requireCount } from "../amounts.ts";
import type { CommandContext } from "../command-context.ts";
import { readExpectedManifest } from "../expected-manifest.ts";
import { MAX_WORKERS, pathResolver } from "../prep-request.ts";
import { exitCodeOfStop, watchSignals } from "../signals.ts";
import type { CommandFunction } from "../switch-table.ts";

export const verify: CommandFunction = async (switches, [drive = ""], context) => {
  const resolvePath = pathResolver(context);
  const driveRoot = resolveDrive(drive, context, resolvePath);
  const workers = switches.value("workers");
  const manifestFile = switches.value("manifest-file");
  return await run(
    {
      driveRoot,
      ...readExpectedManifest(switches, driveRoot, resolvePath),
      ...(manifestFile === undefined ? {} : { manifestPath: onDrive(driveRoot, manifestFile) }),
      strict: switches.flag("strict"),
      ...(workers === undefined ? {} : { workers: requireCount("--workers", workers, MAX_WORKERS) }),
    },
    context,
  );
};

async function run(request: VerifyRequest, context: CommandContext): Promise<ExitCode> {
  const { output } = context;
  const interruption = watchSignals(
    () => output.diagnosis("\nstopping\n"),
    () => output.close(),
  );
  const view = createVerifyView(output, context.stderr, systemClock);
  const spoolDirectory = mkdtempSync(join(tmpdir(), "waimportexport-verify-"));
  try {
    const report = await verifyDrive(
      { ...request, signal: interruption.signal },
      { fs: nodeFileSystem, engine: createThreadedCopyEngine(), clock: systemClock, spoolDirectory },
      (event) => view.show(event),
    );
    view.close();
    const exitCode = report.isAborted ? (interruption.exitCode() ?? report.exitCode) : report.exitCode;
    output.result("verification", { ...report, exitCode }, () =>
      verificationText(report, request.strict, output.resultTerminal),
    );
    return exitCode;
  } catch (error) {
    return exitCodeOfStop(error, interruption, output);
  } finally {
    view.close();
    interruption.dispose();
    rmSync(spoolDirectory, { recursive: true, force: true });
  }
}

/** `G`, `G:` and `G:\` are the same drive on Windows; `G:` alone would be its current directory. */
function resolveDrive(drive: string, { platform }: CommandContext, resolvePath: (path: string) => string): string {
  return platform === "win32" && /^[A-Za-z]:?$/.test(drive) ? `${drive.slice(0, 1)}:\\` : resolvePath(drive);
}

/** A path as journals and jobs name it: from the drive's root, with backslashes. */
function onDrive(driveRoot: string, manifestFile: string): string {
  const problem = findPathProblem(manifestFile);
  if (problem === undefined) return splitDrivePath(manifestFile).reduce(joinPath, driveRoot);
  throw new UsageError("USAGE_BAD_VALUE", `--manifest-file cannot be "${manifestFile}": ${problem}`);
}
