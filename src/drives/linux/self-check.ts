/**
 * Independent programs look at a finished volume. The key goes to those that take it on standard input; what others would
 * want on their command line, where every user of the machine could read it, they are not given: they only have to
 * recognise the volume.
 */

import { EncryptionError } from "../../platform/app-error.ts";
import type { ProcessResult, ProcessRunner } from "../../platform/processes.ts";
import type { Drive } from "../drive.ts";
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

/** Of cryptsetup. */
const WRONG_KEY = 2;
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
    else {
      const refusesKey = check.givesKey && result.exitCode === WRONG_KEY ? ({ refusesKey: true } as const) : {};
      checks.push({ tool: name, did, ok: false, detail: detailOf(result), ...refusesKey });
    }
  }
  return { checks, missing };
}

/** Never the whole output: bdeinfo and dislocker print identifiers and, when asked, keys. */
function detailOf(result: ProcessResult): string {
  return result.failure ?? `it ended with exit code ${result.exitCode}`;
}

/** Throws when a program that understands the volume does not open it with its key. */
export function requireOpened(drive: Drive, { checks }: CloseReport): void {
  const refusing = checks.find((check) => check.refusesKey);
  if (refusing === undefined) return;
  const message = `${refusing.tool} does not open drive ${drive.driveId} at "${drive.place}" with its key`;
  throw new EncryptionError("ENCRYPTION_FAILED", message, { hint: "do not ship it; run the same command again" });
}
