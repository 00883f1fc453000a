/** Whatever comes: no drive and no volume gets more than it holds, every file is placed or said not to be, and again the same. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { type Batch, Distributor, UNPLACED } from "../../src/prep/distribute.ts";

interface Case {
  mode: "fill" | "spread";
  pools: number[];
  drives: { capacityBytes: number; pool: number }[];
  batches: { folder: number; cost: number }[][];
}

const DIRECTORY_COST = 3;

const cases: fc.Arbitrary<Case> = fc.record({
  mode: fc.constantFrom("fill" as const, "spread" as const),
  pools: fc.array(fc.nat(2000), { minLength: 1, maxLength: 4 }),
  drives: fc.array(fc.record({ capacityBytes: fc.nat(2000), pool: fc.nat(3) }), { maxLength: 5 }),
  batches: fc.array(
    fc.array(fc.record({ folder: fc.nat(5), cost: fc.integer({ min: 1, max: 700 }) }), { maxLength: 30 }),
    {
      maxLength: 4,
    },
  ),
});

function toBatch(files: Case["batches"][number]): Batch {
  return {
    count: files.length,
    costs: Float64Array.from(files, (file) => file.cost),
    folders: () => ({
      ids: Int32Array.from(files, (file) => file.folder),
      count: 6,
      costBytes: () => DIRECTORY_COST,
    }),
  };
}

function distribute({ mode, pools, drives, batches }: Case): { assigned: number[][]; distributor: Distributor } {
  const distributor = new Distributor(
    drives.map(({ capacityBytes, pool }) => ({ capacityBytes, pool: pool % pools.length })),
    pools.map((capacityBytes) => ({ capacityBytes })),
    mode,
  );
  return { assigned: batches.map((batch) => [...distributor.assign(toBatch(batch))]), distributor };
}

it("never promises more than there is", () => {
  fc.assert(
    fc.property(cases, (one) => {
      const { assigned, distributor } = distribute(one);
      const onDrive = one.drives.map(() => 0);
      assigned.forEach((drives, b) => {
        expect(drives).toHaveLength((one.batches[b] ?? []).length);
        drives.forEach((drive, i) => {
          expect(drive).toBeGreaterThanOrEqual(UNPLACED);
          expect(drive).toBeLessThan(one.drives.length);
          if (drive !== UNPLACED) onDrive[drive] = (onDrive[drive] ?? 0) + (one.batches[b]?.[i]?.cost ?? 0);
        });
      });
      one.drives.forEach(({ capacityBytes }, drive) => {
        expect(onDrive[drive]).toBeLessThanOrEqual(distributor.usedBytes(drive));
        expect(distributor.usedBytes(drive)).toBeLessThanOrEqual(capacityBytes);
      });
      one.pools.forEach((poolBytes, pool) => {
        const used = one.drives.map((drive, d) =>
          drive.pool % one.pools.length === pool ? distributor.usedBytes(d) : 0,
        );
        expect(used.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThanOrEqual(poolBytes);
      });
    }),
  );
});

it("a file is left over only where no drive has room for it", () => {
  fc.assert(
    fc.property(cases, (one) => {
      const { assigned, distributor } = distribute(one);
      // Room only shrinks, so what has room in the end had it then.
      const mostLeft = Math.max(0, ...one.drives.map((_, drive) => distributor.remainingBytes(drive)));
      assigned.forEach((drives, b) => {
        drives.forEach((drive, i) => {
          if (drive !== UNPLACED) return;
          expect((one.batches[b]?.[i]?.cost ?? 0) + DIRECTORY_COST).toBeGreaterThan(mostLeft);
        });
      });
    }),
  );
});

it("answers the same to the same", () => {
  fc.assert(
    fc.property(cases, (one) => {
      expect(distribute(one).assigned).toEqual(distribute(one).assigned);
    }),
  );
});
