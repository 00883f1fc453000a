/**
 * Every reader on damaged and hostile bytes: it reads them or refuses them with a code that is no bug. What it takes is
 * bounded by the size of the input. `FUZZ_RUNS` sets how many tries each reader gets.
 */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseSideFile } from "../../src/blobs/side-file.ts";
import { readCopyLog } from "../../src/copy-log/copy-log-reader.ts";
import { parseDataset } from "../../src/dataset/dataset-csv.ts";
import { parseDriveset } from "../../src/drives/driveset-csv.ts";
import { parseDriveInfo } from "../../src/journal/drive-info.ts";
import { parseEvents } from "../../src/journal/events-file.ts";
import { parseJournal } from "../../src/journal/read-journal.ts";
import { replayHistory } from "../../src/journal/session-history.ts";
import { ManifestReader } from "../../src/manifest/manifest-reader.ts";
import { AppError } from "../../src/platform/app-error.ts";
import { MemoryFileSystem } from "./memory-file-system.ts";
import { damaged } from "./mutate.ts";

const RUNS = Number(process.env.FUZZ_RUNS ?? 300);
const seed = process.env.FUZZ_RUNS === undefined ? { seed: 4711 } : {};
const fixture = (path: string): Buffer => readFileSync(new URL(`../../fixtures/${path}`, import.meta.url));

interface Reader {
  name: string;
  good: readonly Buffer[];
  read(bytes: Buffer): void;
}

const DATASET = Buffer.from(
  'BasePath,DstItemPathOrPrefix,ItemType,Disposition,MetadataFile,PropertiesFile\n"/data/a, b/",box/a/,BlockBlob,rename,/m.xml,None\n/data/c.vhd,disks/c.vhd,PageBlob,overwrite,None,/p.xml\n',
);
const METADATA = Buffer.from('<?xml version="1.0" encoding="UTF-8"?>\n<Metadata><a>1</a><b>zwei</b></Metadata>\n');
const PROPERTIES = Buffer.from(
  '<?xml version="1.0" encoding="UTF-8"?>\n<Properties><Content-Type>text/plain</Content-Type><Cache-Control>no-cache</Cache-Control></Properties>\n',
);
const COPY_LOG = Buffer.from(
  '<?xml version="1.0" encoding="utf-8"?>\n<DriveLog Version="2018-10-01"><DriveId>D1</DriveId><Blob Status="CompletedWithErrors"><BlobPath>a/b</BlobPath><FilePath>\\x</FilePath><Length>5</Length><BlockList><Block Offset="0" Length="5" Id="AA==" Hash="0" Status="Failed" /></BlockList></Blob><Status>Completed</Status></DriveLog>\n',
);

const READERS: readonly Reader[] = [
  {
    name: "dataset.csv on Windows",
    good: ["2016", "2018", "2022"].map((year) => fixture(`csv/dataset-${year}.csv`)),
    read: (bytes) => void parseDataset(bytes, "d.csv", { platform: "win32" }),
  },
  {
    name: "dataset.csv elsewhere",
    good: [DATASET],
    read: (bytes) => void parseDataset(bytes, "d.csv", { platform: "posix" }),
  },
  {
    name: "driveset.csv on Windows",
    good: [fixture("csv/driveset.csv")],
    read: (bytes) => void parseDriveset(bytes, "v.csv", { platform: "win32" }),
  },
  {
    name: "driveset.csv elsewhere",
    good: [fixture("csv/driveset-paths.csv")],
    read: (bytes) => void parseDriveset(bytes, "v.csv", { platform: "posix" }),
  },
  {
    name: "the journal",
    good: ["new-session", "original-v1"].map((name) => fixture(`golden/journal/${name}.jrn`)),
    read: (bytes) => void replayHistory(parseJournal(bytes, "t.jrn").records),
  },
  {
    name: "<DriveId>.xml",
    good: [fixture("golden/journal/drive-info.xml")],
    read: (bytes) => void parseDriveInfo(bytes.toString("utf8")),
  },
  {
    name: "the manifest",
    good: ["edges", "export", "import"].map((name) => fixture(`golden/manifest/${name}.xml`)),
    read: (bytes) => {
      const reader = new ManifestReader(onDisk(bytes), "/file", {});
      try {
        while (reader.step());
      } finally {
        reader.close();
      }
    },
  },
  { name: "a metadata file", good: [METADATA], read: (bytes) => void parseSideFile("metadata", bytes, "m.xml") },
  { name: "a properties file", good: [PROPERTIES], read: (bytes) => void parseSideFile("properties", bytes, "p.xml") },
  {
    name: "a copy log",
    good: [COPY_LOG],
    read: (bytes) => void readCopyLog(onDisk(bytes), "/file", () => {}),
  },
  {
    name: "the events file",
    good: [fixture("golden/ui/prep-events.jsonl")],
    read: (bytes) => void parseEvents(bytes.toString("utf8")),
  },
];

function onDisk(bytes: Buffer): MemoryFileSystem {
  const fs = new MemoryFileSystem();
  fs.writeFile("/file", bytes);
  return fs;
}

/** True when it was read, false when it was refused with a code. */
function accepts(read: () => void): boolean {
  try {
    read();
    return true;
  } catch (error) {
    if (error instanceof AppError && error.code !== "INTERNAL") return false;
    throw error;
  }
}

describe.each(READERS)("$name", ({ good, read }) => {
  it("is read when it is good", () => {
    for (const bytes of good) expect(() => read(bytes)).not.toThrow();
  });

  it("damaged in any way is read or refused with a code", () => {
    fc.assert(
      fc.property(fc.constantFrom(...good).chain(damaged), (bytes) => {
        accepts(() => read(bytes));
      }),
      { numRuns: RUNS, ...seed },
    );
  });

  it("cut off anywhere is read or refused with a code", () => {
    for (const bytes of good) {
      const step = Math.max(1, Math.floor(bytes.length / 200));
      for (let length = 0; length < bytes.length; length += step) accepts(() => read(bytes.subarray(0, length)));
    }
  });

  it.each([
    ["nothing", Buffer.alloc(0)],
    ["zeros", Buffer.alloc(100_000)],
    ["one endless line", Buffer.alloc(2_000_000, "a")],
    ["only quotes", Buffer.alloc(200_000, '"')],
    ["only commas", Buffer.alloc(200_000, ",")],
    ["only line ends", Buffer.alloc(200_000, "\n")],
    ["very deep", Buffer.from("<a>".repeat(100_000))],
    ["deep and well-formed", Buffer.from(`${"<a>".repeat(5000)}${"</a>".repeat(5000)}`)],
    ["a deep drive", Buffer.from(`<Drive>${"<a>".repeat(5000)}${"</a>".repeat(5000)}</Drive>`)],
    ["deep metadata", Buffer.from(`<Metadata>${"<a>".repeat(5000)}${"</a>".repeat(5000)}</Metadata>`)],
    ["deep properties", Buffer.from(`<Properties>${"<a>".repeat(5000)}${"</a>".repeat(5000)}</Properties>`)],
    ["very many attributes", Buffer.from(`<a ${Array.from({ length: 20_000 }, (_, i) => `b${i}="1"`).join(" ")}/>`)],
    ["lone surrogates", Buffer.from("\ufeff\ud800\udc00\ud800", "utf16le")],
    ["many open brackets", Buffer.alloc(200_000, "[")],
  ])("%s is read or refused with a code", (_name, bytes) => {
    accepts(() => read(bytes));
  });
});
