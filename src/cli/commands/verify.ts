/** `verify`: a prepared drive against its manifest. */
import { UsageError } from "../../platform/app-error.ts";
import type { CommandFunction } from "../switch-table.ts";

export const verify: CommandFunction = async () => {
  throw new UsageError("USAGE_FORM_UNAVAILABLE", "verify is not wired yet");
};
