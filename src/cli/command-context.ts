/** What a command gets from the process besides its switches. Tests hand in their own. */
import type { Redactor } from "../platform/redaction.ts";
import type { Output } from "../ui/output.ts";

export interface CommandContext {
  output: Output;
  /** Everything printed and logged passes it; commands add the secrets they read. */
  redactor: Redactor;
  /** As the operating system names it: `win32`, `linux`, `darwin`. */
  platform: NodeJS.Platform;
  environment: Readonly<Record<string, string | undefined>>;
  cwd: string;
  version: string;
  stdin: NodeJS.ReadStream;
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
}
