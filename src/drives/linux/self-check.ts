/**
 * Independent programs look at a finished volume. The key goes to those that take it on standard input; what others would
 * want on their command line, where every user of the machine could read it, they are not given: they only have to
 * recognise the volume.
 */
import type { ProcessResult, ProcessRunner } from "../../platform/processes.ts";
import type { CloseReport, VolumeCheck } from "../encryption/encryption.ts";
import { packageOf, runTool } from "./tools.ts";

interface Checker {
  tool: string;
  did: string;
  version: { args: readonly string[]; pattern: RegExp };
  check: { args: (volume: string) => readonly string[]; givesKey: boolean; isGood: (result: ProcessResult) => boolean };
}

const CHECKERS: readonly Checker[] = [
  {
    tool: "cryptsetup",
    did: "opened it with the key",
    version: { args: ["--version"], pattern: /cryptsetup (\d\S*)/ },
    check: {
      args: (volume) => ["open", "--type", "bitlk", "--test-passphrase", "--key-file", "-", "--", volume],
      givesKey: true,
      isGood: ({ exitCode }) => exitCode === 0,
    },
  },
  {
    tool: "bdeinfo",
    did: "recognised it",
    version: { args: ["-V"], pattern: /bdeinfo (\d\S*)/ },
    check: {
      args: (volume) => ["--", volume],
      givesKey: false,
      // Without a key it ends with 1 after it has said what the volume is.
      isGood: ({ stdout }) => /AES-XTS/.test(stdout) && /Recovery password/.test(stdout),
    },
  },
  {
    tool: "dislocker-metadata",
    did: "recognised it",
    version: { args: ["-h"], pattern: /dislocker by .*, v(\d[\d.]*)/ },
    check: {
      args: (volume) => ["-V", volume],
      givesKey: false,
      isGood: ({ exitCode, stdout, stderr }) => exitCode === 0 && /RECOVERY/i.test(stdout + stderr),
    },
  },
];

const TIMEOUT_MS = 10 * 60_000;

export async function checkVolume(
  runner: ProcessRunner,
  volume: string,
  key: string,
  signal?: AbortSignal,
): Promise<CloseReport> {
  const checks: VolumeCheck[] = [];
  const missing: string[] = [];
  for (const { tool, did, version, check } of CHECKERS) {
    const told = await runTool(runner, tool, version.args, { timeoutMs: 10_000 });
    if (told.failure === "missing") {
      missing.push(packageOf(tool));
      continue;
    }
    const result = await runTool(runner, tool, check.args(volume), {
      timeoutMs: TIMEOUT_MS,
      ...(check.givesKey ? { input: key } : {}),
      ...(signal === undefined ? {} : { signal }),
    });
    signal?.throwIfAborted();
    const number = version.pattern.exec([told.stdout, told.stderr, result.stdout, result.stderr].join("\n"))?.[1];
    const name = number === undefined ? tool : `${tool} ${number}`;
    if (check.isGood(result)) checks.push({ tool: name, did, ok: true });
    else checks.push({ tool: name, did, ok: false, detail: detailOf(result) });
  }
  return { checks, missing };
}

/** Never the whole output: bdeinfo and dislocker print identifiers and, when asked, keys. */
function detailOf(result: ProcessResult): string {
  return result.failure ?? `it ended with exit code ${result.exitCode}`;
}

/** For people: `BitLocker-compatible, checked with cryptsetup 2.6.1 (opened it with the key), ...`. */
export function describeChecks(report: CloseReport): string {
  const good = report.checks.filter((check) => check.ok);
  if (good.length === 0) return "BitLocker-compatible by its own check only";
  return `BitLocker-compatible, checked with ${good.map(({ tool, did }) => `${tool} (${did})`).join(", ")}`;
}
