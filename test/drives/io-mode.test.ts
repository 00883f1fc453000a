import { expect, test } from "vitest";
import type { Drive } from "../../src/drives/drive.ts";
import { chooseIoMode } from "../../src/drives/io-mode.ts";
import { sampleDrive } from "./sample-drive.ts";

const cases: [Partial<Drive>, "sequential" | "parallel", string][] = [
  [{ kind: "volume", rotational: true }, "sequential", "rotating disk"],
  [{ kind: "volume", rotational: false, ntfs: true }, "sequential", "NTFS"],
  [{ kind: "volume", rotational: "unknown", transport: "usb" }, "sequential", "USB, kind of disk not known"],
  [{ kind: "volume", rotational: false, transport: "usb" }, "parallel", "solid state"],
  [{ kind: "loop", rotational: false }, "parallel", "solid state"],
  [{ kind: "loop", rotational: true }, "sequential", "rotating disk"],
  [{ kind: "tmpfs", rotational: "unknown" }, "parallel", "in memory"],
  [{ kind: "network", rotational: true }, "parallel", "network file system"],
  [{ kind: "directory", rotational: "unknown", transport: "" }, "parallel", "kind of disk not known"],
];

test.each(cases)("%o is written %s: %s", (change, mode, reason) => {
  expect(chooseIoMode(sampleDrive(change))).toEqual({ mode, reason });
});
