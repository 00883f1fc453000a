import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parseSideFile } from "../../src/blobs/side-file.ts";
import { driveInfoRecord, parseDriveInfo } from "../../src/journal/drive-info.ts";
import { parseEvents } from "../../src/journal/events-file.ts";
import { printRecord } from "../../src/journal/journal-record.ts";
import { parseJournal } from "../../src/journal/read-journal.ts";
import { printCheck } from "../../src/journal/record-check.ts";
import { readManifest } from "../../src/manifest/manifest-reader.ts";
import { nodeFileSystem } from "../../src/platform/file-system.ts";
import { temporaryDirectory } from "../platform/temporary-directory.ts";

const document = readFileSync(fileURLToPath(new URL("../../docs/formats.md", import.meta.url)), "utf8");

/** The fenced block whose info string ends in `name`. */
function example(name: string): string {
  const found = new RegExp(`^\`\`\`\\w+ ${name}\n([^]*?)^\`\`\`$`, "m").exec(document);
  if (found?.[1] === undefined) throw new Error(`docs/formats.md has no example "${name}"`);
  return found[1];
}

describe("the examples of docs/formats.md", () => {
  it("show the manifest that the writer's golden file fixes, and it can be read", () => {
    const golden = fileURLToPath(new URL("../../fixtures/golden/manifest/import.xml", import.meta.url));
    expect(example("manifest")).toBe(readFileSync(golden, "utf8"));
    const path = join(temporaryDirectory(), "m.xml");
    writeFileSync(path, example("manifest"));
    expect(readManifest(nodeFileSystem, path, {}).blobs).toBe(3);
  });

  it("show a journal that is read without complaint and printed the same", () => {
    const bytes = Buffer.from(example("journal"));
    const { records, tornBytes } = parseJournal(bytes, "example");
    expect(tornBytes).toBe(0);
    expect(records[1]?.entries.at(-1)).toEqual(["Note", "[a line\n[EndValue]\n\\[EndValue]\nthe last line"]);
    let printed = "";
    for (const record of records) {
      const own = printRecord(record);
      printed += own + printCheck(record, Buffer.from(own), Buffer.byteLength(printed));
    }
    expect(printed).toBe(bytes.toString());
  });

  it("show the drive information of that journal", () => {
    const info = parseDriveInfo(example("drive-info"));
    expect(info.driveId).toBe("9WM35C2V");
    const timeMs = Date.UTC(2026, 2, 1, 10, 1, 5, 432);
    expect(example("drive-info")).toBe(printRecord({ timeMs, type: "ActivityRecord", entries: driveInfoRecord(info) }));
    expect(example("journal")).toContain(example("drive-info"));
  });

  it("show events that can be read", () => {
    const lines = example("events").trimEnd().split("\n");
    expect(parseEvents(example("events"))).toEqual(lines.map((line) => JSON.parse(line)));
    expect(lines).toHaveLength(6);
  });

  it("show side files that are accepted", () => {
    const parse = (kind: "metadata" | "properties") => parseSideFile(kind, Buffer.from(example(kind)), `${kind}.xml`);
    expect(parse("metadata")).toEqual([["Project", "alpha"]]);
    expect(parse("properties")).toEqual([
      ["Content-Type", "text/plain"],
      ["Cache-Control", "max-age=3600"],
    ]);
  });
});
