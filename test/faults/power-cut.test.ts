/**
 * The power goes at a call of a preparation. What was not flushed is partly lost (memory-inode.ts), in both ways of
 * flushing; nothing that is recorded as finished may be missing, and the same command ends with the same drives.
 * `FAULTS=all` cuts at every call with many outcomes each.
 */
import { describe, expect, it } from "vitest";
import type { FlushMethod } from "../../src/platform/volume-flush.ts";
import { FaultFailure, newTally, unbroken } from "./fault-loop.ts";
import { runWithPowerCut } from "./power-cut.ts";
import {
  abortedFirst,
  abortedLater,
  addedDrive,
  firstSession,
  givenUpDrive,
  laterSession,
  resumedSealing,
  resumedSession,
} from "./scenarios.ts";

const isFull = process.env.FAULTS === "all";
const SEEDS = isFull ? 20 : 1;
const HOUR_MS = 3_600_000;
/** Of each so many calls one is chosen. */
const STEP: Readonly<Record<FlushMethod, number>> = isFull
  ? { volume: 1, "per-file": 1 }
  : { volume: 2, "per-file": 5 };

describe.each(["volume", "per-file"] as const)("with flushing by %s, a power cut during", (flush) => {
  it.each([
    ["a first session", firstSession],
    ["a later session", laterSession],
    ["a resumed session", resumedSession],
    ["a resumed sealing", resumedSealing],
    ["adding a drive", addedDrive],
    ["giving up a drive", givenUpDrive],
    ["aborting a first session", abortedFirst],
    ["aborting a later session", abortedLater],
  ] as const)(
    "%s loses nothing",
    async (name, make) => {
      const scenario = await make({ flush });
      const { finished } = await unbroken(scenario);
      const tally = newTally();
      const failures: string[] = [];
      let goesOn = true;
      for (let n = 0; goesOn; n += STEP[flush]) {
        for (let seed = 0; seed < SEEDS && goesOn; seed++) {
          try {
            goesOn = await runWithPowerCut(scenario, finished, n, n * SEEDS + seed, tally);
          } catch (error) {
            if (!(error instanceof FaultFailure)) throw error;
            failures.push(`before call ${n}, outcome ${n * SEEDS + seed}: ${error.message}`);
          }
        }
      }
      const counts = Object.entries(tally).map(([key, count]) => `${key} ${count}`);
      console.log(`power cuts, ${name}, ${flush}: ${counts.join(", ")}`);
      expect(failures).toEqual([]);
      expect(tally.identical).toBe(tally.injected);
      expect(tally.injected).toBeGreaterThan(25);
    },
    isFull ? HOUR_MS : undefined,
  );
});
