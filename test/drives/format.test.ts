import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { checkFormattable, formatDrive } from "../../src/drives/format.ts";
import { nodeFileSystem } from "../../src/platform/file-system.ts";
import { temporaryDirectory } from "../platform/temporary-directory.ts";
import { sampleDrive } from "./sample-drive.ts";

const ports = { fs: nodeFileSystem };
const options = { label: "SHIP" };

test("an empty directory counts as formatted; what file systems put there themselves is no content", async () => {
  const root = temporaryDirectory();
  mkdirSync(join(root, "lost+found"));
  mkdirSync(join(root, "System Volume Information"));
  await formatDrive(ports, sampleDrive({ root }), options);
  expect(readdirSync(root)).toHaveLength(2);
});

test.each(["directory", "tmpfs", "loop", "network", "container"] as const)(
  "a %s with contents is refused",
  async (kind) => {
    const root = temporaryDirectory();
    writeFileSync(join(root, "precious"), "x");
    await expect(formatDrive(ports, sampleDrive({ root, kind }), options)).rejects.toMatchObject({
      code: "DRIVE_NOT_EMPTY",
      exitCode: 5,
      message: expect.stringContaining('"precious"'),
    });
    expect(readdirSync(root)).toEqual(["precious"]);
  },
);

test.each(["volume", "image"] as const)("a %s needs the platform's formatter", async (kind) => {
  const drive = sampleDrive({ kind });
  await expect(formatDrive(ports, drive, options)).rejects.toMatchObject({ code: "DRIVE_KIND_UNSUPPORTED" });
  const formatted: string[] = [];
  const volumes = { format: async () => void formatted.push("done") };
  checkFormattable({ ...ports, volumes }, drive);
  expect(formatted).toEqual([]);
  await formatDrive({ ...ports, volumes }, drive, options);
  expect(formatted).toEqual(["done"]);
});
