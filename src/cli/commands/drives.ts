/** `drives`: the volumes of this machine that could be prepared, and why others cannot. */
import { ExitCode } from "../../platform/exit-codes.ts";
import { nodeFileSystem } from "../../platform/file-system.ts";
import { driveListData, driveListText } from "../../ui/drive-list-text.ts";
import type { CommandFunction } from "../switch-table.ts";

export const drives: CommandFunction = async (_switches, _args, context) => {
  const [{ createDriveProbe }, { systemProcessRunner }] = await Promise.all([
    import("../../drives/probe.ts"),
    import("../../platform/processes.ts"),
  ]);
  const found = await createDriveProbe(context.platform, nodeFileSystem, systemProcessRunner).list();
  context.output.result("drives", driveListData(found), () => driveListText(found));
  return ExitCode.Done;
};
