import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseLsblk } from "../../src/drives/linux/lsblk.ts";
import { mountOf, parseMountinfo, parseSwaps } from "../../src/drives/linux/mountinfo.ts";

function fixture(path: string): string {
  return readFileSync(join(import.meta.dirname, "../../fixtures/tools", path), "utf8");
}

describe("recorded on Debian 12", () => {
  const mounts = parseMountinfo(fixture("debian-12/mountinfo"));

  test("mounts, blanks in names included", () => {
    expect(mounts).toHaveLength(10);
    expect(mountOf(mounts, "/mnt/waie cap/loop/a/b")).toEqual({
      device: "7:0",
      root: "/",
      mountPoint: "/mnt/waie cap/loop",
      readOnly: false,
      fileSystem: "ext4",
      source: "/dev/loop0",
    });
    expect(mountOf(mounts, "/mnt/waie cap/memory")?.mountPoint).toBe("/");
    expect(mountOf(mounts, "/mnt/waie cap/mem")?.fileSystem).toBe("tmpfs");
  });

  test("swaps: none", () => {
    expect(parseSwaps(fixture("debian-12/swaps"))).toEqual([]);
  });

  test("block devices", () => {
    const facts = parseLsblk(fixture("debian-12/lsblk.json"));
    expect([...facts.keys()].sort()).toEqual(["loop0", "vda", "zram0"]);
    expect(facts.get("vda")).toMatchObject({ rotational: true, removable: false, model: "", signature: "" });
  });
});

describe("other forms", () => {
  test("an lsblk that nests devices and writes strings", () => {
    const facts = parseLsblk(fixture("constructed-linux/lsblk-nested-strings.json"));
    expect(facts.get("sdb")).toEqual({
      name: "sdb",
      model: "WDC WD40EFRX-68N",
      serial: "WD-WCC7K1234567",
      transport: "sata",
      label: "",
      signature: "",
      removable: false,
      rotational: true,
    });
    expect(facts.get("sdb1")?.signature).toBe("crypto_LUKS");
    expect(facts.get("dm-0")).toMatchObject({ label: "HOME", signature: "ext4" });
    expect(facts.get("sdc")).toMatchObject({ removable: true, model: "WD Elements 25A2" });
  });

  test.each(["", "lsblk: unknown column", "[]", '{"blockdevices":[{"name":1}]}'])("not lsblk's output: %j", (text) => {
    expect(parseLsblk(text).size).toBe(0);
  });

  test("a mount hidden by a later one at the same place", () => {
    const text =
      "1 0 8:1 / /m rw - ext4 /dev/sda1 rw\n2 1 8:2 / /m ro shared:1 master:2 - ntfs3 /dev/sda2 rw\nbroken\n";
    expect(mountOf(parseMountinfo(text), "/m")).toMatchObject({ device: "8:2", readOnly: true, fileSystem: "ntfs3" });
  });

  test("escapes", () => {
    const [mount] = parseMountinfo("1 0 8:1 /a\\134b /m\\011\\012ü rw - ext4 /dev/x\\040y rw");
    expect(mount).toMatchObject({ root: "/a\\b", mountPoint: "/m\t\nü", source: "/dev/x y" });
    expect(parseSwaps("Filename\tType\n/swap\\040file    file\t1\t0\t-2\n")).toEqual(["/swap file"]);
  });
});
