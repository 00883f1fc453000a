/** `copy-log explain`: a log of the service in plain words. */
import { explainCopyLog } from "../../copy-log/explain-copy-log.ts";
import { nodeFileSystem } from "../../platform/file-system.ts";
import { explanationText } from "../../ui/copy-log-text.ts";
import { pathResolver } from "../prep-request.ts";
import type { CommandFunction } from "../switch-table.ts";

export const copyLogExplain: CommandFunction = async (_switches, [log = ""], context) => {
  const { output } = context;
  const path = pathResolver(context)(log);
  const explanation = explainCopyLog(nodeFileSystem, path, (entry) => output.jsonLine("copy-log-entry", entry));
  output.result("copy-log", { log: path, ...explanation }, () =>
    explanationText(path, explanation, output.resultTerminal),
  );
  return explanation.exitCode;
};
