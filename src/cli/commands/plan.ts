/** `plan`, and `prep-import --dry-run`: the planner and all checks, nothing written. */
import { UsageError } from "../../platform/app-error.ts";
import { systemClock } from "../../platform/clock.ts";
import { ExitCode, mostSevere } from "../../platform/exit-codes.ts";
import type { PlanSummary, PrepRequest } from "../../prep/prep-contract.ts";
import { planData, planText } from "../../ui/plan-text.ts";
import { createPrepView } from "../../ui/prep-view.ts";
import type { CommandContext } from "../command-context.ts";
import { readForm } from "../prep-forms.ts";
import { readPrepRequest } from "../prep-request.ts";
import { exitCodeOfStop, watchSignals } from "../signals.ts";
import type { CommandFunction } from "../switch-table.ts";
import { refuseV1 } from "../v1-form.ts";

export const plan: CommandFunction = async (switches, _args, context) => {
  refuseV1(switches);
  const form = readForm(switches);
  if (form !== "new" && form !== "add-drives" && form !== "resume") {
    throw new UsageError("USAGE_CONFLICT", "there is nothing to plan for an abort or a list", {
      hint: "use the same switches with prep-import",
    });
  }
  const request = readPrepRequest(switches, context);
  context.redactor.add(request.storageAccountKey ?? "");
  return await showPlan(request, context);
};

export async function showPlan(request: PrepRequest, context: CommandContext): Promise<ExitCode> {
  const { output } = context;
  const [{ planDrives }, { createPrepPorts }] = await Promise.all([
    import("../../prep/prepare.ts"),
    import("../../prep/create-prep-ports.ts"),
  ]);
  const view = createPrepView(output, context.stderr, systemClock, { planIsResult: true });
  const interruption = watchSignals(
    () => output.diagnosis("\nstopping\n"),
    () => output.close(),
  );
  try {
    const planned = await planDrives(
      request,
      createPrepPorts(context),
      (event) => view.show(event),
      interruption.signal,
    );
    view.close();
    output.result("plan", planData(planned), () => planText(planned, output.resultTerminal));
    return exitCodeOf(planned);
  } catch (error) {
    return exitCodeOfStop(error, interruption, output);
  } finally {
    view.close();
    interruption.dispose();
  }
}

/** What the run itself would return for the same reasons. */
function exitCodeOf(planned: PlanSummary): ExitCode {
  return mostSevere([
    ...(planned.unplacedFiles > 0 ? [ExitCode.NoSpace] : []),
    ...(planned.notDone > 0 ? [ExitCode.SomeFilesNotDone] : []),
  ]);
}
