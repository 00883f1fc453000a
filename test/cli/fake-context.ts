/** A command's surroundings that record what is printed. */
import type { CommandContext } from "../../src/cli/command-context.ts";
import { Redactor } from "../../src/platform/redaction.ts";
import { createOutput } from "../../src/ui/output.ts";

export interface FakeContextOptions {
  json?: boolean;
  quiet?: boolean;
  platform?: NodeJS.Platform;
  environment?: Record<string, string>;
  cwd?: string;
}

export function fakeContext(options: FakeContextOptions = {}): {
  context: CommandContext;
  stdout: () => string;
  stderr: () => string;
} {
  const written = { stdout: "", stderr: "" };
  const stdout = { write: (text: string) => (written.stdout += text) };
  const stderr = { write: (text: string) => (written.stderr += text) };
  const output = createOutput({
    stdout,
    stderr,
    environment: {},
    json: options.json ?? false,
    quiet: options.quiet ?? false,
    color: "auto",
  });
  const redactor = new Redactor();
  output.setRedaction(redactor);
  return {
    context: {
      output,
      redactor,
      platform: options.platform ?? "linux",
      environment: options.environment ?? {},
      cwd: options.cwd ?? "/work-dir",
      version: "0.0.0-test",
      stdin: { isTTY: false } as NodeJS.ReadStream,
      stdout: stdout as unknown as NodeJS.WriteStream,
      stderr: stderr as unknown as NodeJS.WriteStream,
    },
    stdout: () => written.stdout,
    stderr: () => written.stderr,
  };
}
