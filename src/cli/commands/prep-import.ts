/** `prep-import`: the main job in all its documented forms. */
import { existsSync } from "node:fs";
import { systemClock } from "../../platform/clock.ts";
import { ExitCode } from "../../platform/exit-codes.ts";
import type { PrepOutcome, PrepRequest } from "../../prep/prep-contract.ts";
import { summaryData, summaryText } from "../../ui/prep-summary.ts";
import { createPrepView } from "../../ui/prep-view.ts";
import { createConfirm } from "../../ui/questions.ts";
import { openRunLog, type RunLog } from "../../ui/run-log.ts";
import type { CommandContext } from "../command-context.ts";
import { findLogDirectory } from "../log-directory.ts";
import { type PrepForm, readForm } from "../prep-forms.ts";
import { pathResolver, readPrepRequest } from "../prep-request.ts";
import { exitCodeOfStop, watchSignals } from "../signals.ts";
import type { CommandFunction } from "../switch-table.ts";
import { refuseV1 } from "../v1-form.ts";

const STOPPING = "stopping after the current write; press Ctrl-C again to end at once";

export const prepImport: CommandFunction = async (switches, _args, context) => {
  refuseV1(switches);
  const form = readForm(switches);
  if (form === "list-drives" || form === "list-sessions") {
    const { listJournal } = await import("../journal-lists.ts");
    const journalPath = pathResolver(context)(switches.value("journal") ?? "");
    return listJournal(journalPath, form === "list-drives" ? ["drives"] : ["sessions"], switches, context);
  }
  const request = readPrepRequest(switches, context);
  context.redactor.add(request.storageAccountKey ?? "");
  if (switches.flag("dry-run")) return (await import("./plan.ts")).showPlan(request, context);
  return await prepare(request, form, context);
};

async function prepare(request: PrepRequest, form: PrepForm, context: CommandContext): Promise<ExitCode> {
  const { output } = context;
  const [{ prepareDrives }, { createPrepPorts }] = await Promise.all([
    import("../../prep/prepare.ts"),
    import("../../prep/create-prep-ports.ts"),
  ]);
  const logDirectory = await findLogDirectory(request);
  const interruption = watchSignals(
    () => output.diagnosis(`\n${STOPPING}\n${resumeHint(request, form)}\n`),
    () => output.close(),
  );
  const log = openLog(logDirectory, request, context);
  const view = createPrepView(output, context.stderr, systemClock, { planIsResult: false });
  try {
    const outcome = await prepareDrives(
      request,
      createPrepPorts(context),
      (event) => {
        log?.event(event);
        view.show(event);
      },
      createConfirm({
        output,
        stdin: context.stdin,
        stderr: context.stderr,
        silentMode: request.silentMode,
        confirmDrives: request.options.confirmDrives,
        signal: interruption.signal,
        onInterrupt: interruption.interrupt,
      }),
      interruption.signal,
    );
    view.close();
    const exitCode = exitCodeOf(outcome, interruption.exitCode());
    log?.outcome(outcome);
    output.result("summary", summaryData({ ...outcome, exitCode }), () => summaryText(outcome, output.resultTerminal));
    return exitCode;
  } catch (error) {
    view.close();
    log?.line(`error: ${error instanceof Error ? error.message : String(error)}`);
    return exitCodeOfStop(error, interruption, output);
  } finally {
    interruption.dispose();
    log?.close();
  }
}

/** A run that a signal ended says which one; one that finished before it noticed does not. */
function exitCodeOf(outcome: PrepOutcome, stoppedBy: ExitCode | undefined): ExitCode {
  const wasStopped = outcome.exitCode === ExitCode.Interrupted || outcome.state === "not-confirmed";
  return stoppedBy !== undefined && wasStopped ? stoppedBy : outcome.exitCode;
}

function openLog(directory: string | undefined, request: PrepRequest, context: CommandContext): RunLog | undefined {
  if (directory === undefined) return undefined;
  return openRunLog({
    directory,
    journalPath: request.journalPath,
    verb: "prep-import",
    clock: systemClock,
    redaction: context.redactor,
  });
}

function resumeHint(request: PrepRequest, form: PrepForm): string {
  if (form === "abort") return "run the same command again to finish the abort";
  // Before the plan is confirmed there is no journal, and nothing to resume.
  if (!existsSync(request.journalPath)) return "nothing was written yet; run the same command again to start";
  const id = request.sessionId === undefined ? "" : ` --id "${request.sessionId}"`;
  return `to go on later: waimportexport prep-import --journal "${request.journalPath}"${id} --resume-session`;
}
