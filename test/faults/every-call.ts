/** Declares the loop over every call of a scenario. `FAULTS=all` fails each call in every way it can, in both worlds. */
import { expect, it } from "vitest";
import { failEveryCall, type Scenario } from "./fault-loop.ts";
import type { WorldOptions } from "./preparation-world.ts";

const isFull = process.env.FAULTS === "all";
const WORLDS: readonly WorldOptions[] = isFull ? [{}, { large: true }, { flush: "per-file" }] : [{}];
const HOUR_MS = 3_600_000;

export function itSurvivesEveryCall(name: string, make: (options: WorldOptions) => Promise<Scenario>): void {
  for (const options of WORLDS) {
    const world = Object.keys(options).length === 0 ? "" : ` (${JSON.stringify(options)})`;
    it(
      `${name}${world}`,
      async () => {
        const { tally, failures } = await failEveryCall(await make(options), isFull);
        const counts = Object.entries(tally).map(([key, count]) => `${key} ${count}`);
        console.log(`faults, ${name}${world}: ${counts.join(", ")}`);
        expect(
          [...failures].map(([message, where]) => `${where.length}x, ${where.slice(0, 5).join(", ")}: ${message}`),
        ).toEqual([]);
        expect(tally.identical + tally.reported + tally.moved).toBe(tally.injected);
        expect(tally.injected).toBeGreaterThan(150);
      },
      isFull ? HOUR_MS : undefined,
    );
  }
}
