/** What makes a repeated call another one, and what a resumed call takes over. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import type { SessionRecord } from "../../src/journal/session-history.ts";
import { nodeFileSystem } from "../../src/platform/file-system.ts";
import { DEFAULT_PREP_OPTIONS, type PrepOptions, type PrepRequest } from "../../src/prep/prep-contract.ts";
import {
  differences,
  parseSessionInputs,
  readSessionInputs,
  type SessionInputs,
  withFrozenOptions,
} from "../../src/prep/session-inputs.ts";
import { temporaryDirectory } from "../platform/temporary-directory.ts";

let directory: string;
let dataset: string;
let driveset: string;
beforeEach(() => {
  directory = temporaryDirectory();
  dataset = join(directory, "d.csv");
  driveset = join(directory, "v.csv");
  writeFileSync(dataset, "data\n");
  writeFileSync(driveset, "drives\n");
});

type Change = Partial<Omit<PrepRequest, "options">> & { options?: Partial<PrepOptions> };

function request({ options, ...change }: Change = {}): PrepRequest & { dataSetPath: string } {
  return {
    journalPath: "/j.jrn",
    sessionId: "one",
    dataSetPath: dataset,
    initialDriveSetPath: driveset,
    silentMode: false,
    resumeSession: false,
    abortSession: false,
    ...change,
    options: { ...DEFAULT_PREP_OPTIONS, ...options },
  } as PrepRequest & { dataSetPath: string };
}

/** As they come back from a journal. */
function recorded(change: Change = {}): SessionInputs {
  const fixed = { clientCreator: "tool 1", hasStorageAccountKey: change.storageAccountKey !== undefined };
  const inputs = JSON.stringify(readSessionInputs(nodeFileSystem, request(change), fixed));
  return parseSessionInputs({ id: "one", inputs } as SessionRecord, "/j.jrn");
}

const compare = (change: Change, before: Change = {}): string[] =>
  differences(nodeFileSystem, request(change), recorded(before));

describe("the same call", () => {
  it.each<[string, Change]>([
    ["as it was", {}],
    ["without the drive set", { initialDriveSetPath: undefined as never }],
    [
      "with another number of workers, lock breaking and silence",
      { silentMode: true, options: { workers: 3, breakLock: true } },
    ],
    ["with a bandwidth limit", { options: { bandwidthLimit: 5, ioMode: "sequential" } }],
  ])("%s", (_what, change) => {
    expect(compare(change)).toEqual([]);
  });

  it("with the CSVs at other places but with the same content", () => {
    const before = recorded();
    for (const name of ["d2.csv", "v2.csv"]) {
      writeFileSync(join(directory, name), name === "d2.csv" ? "data\n" : "drives\n");
    }
    const moved = { dataSetPath: join(directory, "d2.csv"), initialDriveSetPath: join(directory, "v2.csv") };
    expect(differences(nodeFileSystem, request(moved), before)).toEqual([]);
  });
});

describe("another call", () => {
  it("has another dataset or drive set", () => {
    const before = recorded();
    writeFileSync(dataset, "data \n");
    writeFileSync(driveset, "other\n");
    expect(differences(nodeFileSystem, request(), before)).toEqual([
      `the dataset "${dataset}" has changed`,
      `the drive set "${driveset}" has changed`,
    ]);
  });

  it("names drives, or an account key, where there were none", () => {
    expect(compare({}, { initialDriveSetPath: undefined as never })).toEqual(["it named no drives"]);
    expect(compare({ storageAccountKey: "k" })).toEqual(["it had no account key"]);
    expect(compare({ storageAccountKey: "k" }, { storageAccountKey: "k" })).toEqual([]);
  });

  it.each<[string, Partial<PrepOptions>]>([
    ["--include", { include: ["*.txt"] }],
    ["--exclude", { exclude: ["*.txt"] }],
    ["--links", { links: "fail" }],
    ["--distribute", { distribute: "spread" }],
    ["--disposition", { disposition: "overwrite" }],
    ["--large-blocks", { largeBlocks: true }],
    ["--encryption", { encryption: "mock" }],
    ["--drive-capacity", { driveCapacity: new Map([["/a", 1]]) }],
    ["--drive-id", { driveIds: new Map([["/a", "X"]]) }],
    ["--image-size", { imageSizes: new Map([["/a", 1]]) }],
  ])("has another %s", (name, options) => {
    expect(compare({ options })).toEqual([`option ${name} differs`]);
    expect(compare({}, { options })).toEqual([`option ${name} differs`]);
    expect(compare({ options }, { options })).toEqual([]);
  });
});

describe("a resumed call", () => {
  it("takes what makes the session from the journal and how it runs from the call", () => {
    const inputs = recorded({ options: { include: ["a"], distribute: "spread", disposition: "overwrite" } });
    const call = { ...DEFAULT_PREP_OPTIONS, include: ["b"], workers: 7, giveUpDrives: ["D"] };
    expect(withFrozenOptions(call, inputs)).toMatchObject({
      include: ["a"],
      distribute: "spread",
      disposition: "overwrite",
      workers: 7,
      giveUpDrives: ["D"],
    });
  });

  it("adds its ids and capacities to those of the journal, its own last", () => {
    const inputs = recorded({ options: { driveIds: new Map([["/old", "X"]]), driveCapacity: new Map([["/a", 1]]) } });
    const merged = withFrozenOptions(
      { ...DEFAULT_PREP_OPTIONS, driveIds: new Map([["/new", "X"]]), driveCapacity: new Map([["/a", 2]]) },
      inputs,
    );
    expect([...merged.driveIds]).toEqual([
      ["/old", "X"],
      ["/new", "X"],
    ]);
    expect([...merged.driveCapacity]).toEqual([["/a", 2]]);
  });
});

it("inputs hold no account key and no BitLocker key of the command line", () => {
  expect(JSON.stringify(recorded({ storageAccountKey: "SECRET" }))).not.toContain("SECRET");
});

it.each(["{", "{}", '{"version":2}', "null"])("a journal whose inputs are %s is damaged", (inputs) => {
  expect(() => parseSessionInputs({ id: "one", inputs } as SessionRecord, "/j.jrn")).toThrow(
    expect.objectContaining({ code: "JOURNAL_DAMAGED" }),
  );
});
