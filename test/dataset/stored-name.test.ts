import { describe, expect, test } from "vitest";
import { resolveClashes } from "../../src/dataset/sibling-names.ts";
import { clashKey, escapeForNtfs, isPlainName, storedName } from "../../src/dataset/stored-name.ts";

describe("escaping", () => {
  test.each([
    ["plain.txt", "plain.txt"],
    ["100%.txt", "100%.txt"],
    ["a<b>c", "a%3Cb%3Ec"],
    ['say "hi"?', "say %22hi%22%3F"],
    ["50%|x", "50%25%7Cx"],
    ["dot.", "dot%2E"],
    ["dots..", "dots.%2E"],
    ["blank ", "blank%20"],
    [" leading", " leading"],
    [".hidden", ".hidden"],
    ["CON", "%43ON"],
    ["con.txt", "%63on.txt"],
    ["Aux .tar.gz", "%41ux .tar.gz"],
    ["COM1", "%43OM1"],
    ["lpt9.x", "%6Cpt9.x"],
    ["COM¹", "%43OM¹"],
    ["COM10", "COM10"],
    ["console", "console"],
    ["CONIN$", "%43ONIN$"],
    ["größe:中", "größe%3A中"],
    ["tab\tnewline\n", "tab%09newline%0A"],
    ["a\\b", "a%5Cb"],
  ])("%j is stored as %j", (name, stored) => {
    expect(escapeForNtfs(name)).toBe(stored);
    expect(isPlainName(name)).toBe(name === stored && /^[ -~]*$/.test(name) && !name.includes("%"));
  });
});

describe("long names", () => {
  test("head and extension stay around the hash, 255 units in all", () => {
    const stored = storedName(`${"x".repeat(300)}.jpeg`, 0);
    expect(stored).toMatch(/^x{241}~[0-9a-f]{8}\.jpeg$/);
    expect(stored).toHaveLength(255);
  });

  test("255 units stay, in bytes only where the file system counts them", () => {
    const name = "中".repeat(255);
    expect(storedName(name, 0)).toBe(name);
    const stored = storedName(name, 0, { maxComponentBytes: 255 });
    expect(stored).toMatch(/^中{82}~[0-9a-f]{8}$/);
    expect(Buffer.byteLength(stored)).toBeLessThanOrEqual(255);
  });

  test("escaping can make a name too long; no escape and no pair is cut in half", () => {
    const escaped = storedName("?".repeat(200), 0);
    expect(escaped).toMatch(/^(%3F){82}~[0-9a-f]{8}$/);
    expect(storedName(`x${"\u{1f600}".repeat(140)}`, 0)).toMatch(/^x(\u{1f600}){122}~[0-9a-f]{8}$/u);
  });

  test("names with equal heads differ in their hash; a long extension is none", () => {
    const a = storedName(`${"x".repeat(260)}a`, 0);
    const b = storedName(`${"x".repeat(260)}b`, 0);
    expect(a).not.toBe(b);
    expect(storedName(`a.${"x".repeat(260)}`, 0)).toMatch(/^a\.x+~[0-9a-f]{8}$/);
  });
});

describe("further attempts", () => {
  test("each gives another name, the same one every time", () => {
    const names = [0, 1, 2, 3].map((attempt) => storedName("photo.jpg", attempt));
    expect(names[0]).toBe("photo.jpg");
    // printf photo.jpg | sha256sum
    expect(names[1]).toBe("photo~aff6100b.jpg");
    expect(new Set(names).size).toBe(4);
    expect([0, 1, 2, 3].map((attempt) => storedName("photo.jpg", attempt))).toEqual(names);
  });

  test("a name that takes what another would get pushes it one further", () => {
    const taken = storedName("readme", 1);
    const attempts = resolveClashes(["README", "readme", taken], {});
    expect([...attempts]).toEqual([[1, 2]]);
  });

  test("three of a kind", () => {
    const attempts = resolveClashes(["A", "a", "b", "dir/", "Dir/"], {});
    expect([...attempts]).toEqual([
      [1, 1],
      [4, 1],
    ]);
  });
});

describe("letter case as NTFS compares it", () => {
  test.each([
    ["readme", "README"],
    ["größe", "GRÖSSE".replace("SS", "ß").replace("Ö", "Ö")],
    ["ÿ", "Ÿ"],
    ["ᾀ", "ᾈ"],
    ["жук", "ЖУК"],
    ["é", "e\u0301"],
  ])("%s and %s are one", (a, b) => {
    expect(clashKey(a)).toBe(clashKey(b));
  });

  test.each([
    ["straße", "STRASSE"],
    ["ŉ", "ʼN"],
    ["a", "b"],
    ["𐐨", "𐐀"],
  ])("%s and %s are two", (a, b) => {
    expect(clashKey(a)).not.toBe(clashKey(b));
  });
});
