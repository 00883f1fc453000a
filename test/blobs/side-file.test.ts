import { describe, expect, test } from "vitest";
import { parseSideFile, type SideFileKind } from "../../src/blobs/side-file.ts";
import { InputError } from "../../src/platform/app-error.ts";

function refusal(kind: SideFileKind, content: string | Uint8Array): InputError {
  try {
    parseSideFile(kind, typeof content === "string" ? Buffer.from(content) : content, "side.xml");
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
  throw new Error("the file was accepted");
}

describe("what is taken", () => {
  test("metadata in order, with declaration, mark and indentation", () => {
    const text = `\ufeff<?xml version="1.0" encoding="utf-8"?>\r\n<Metadata>\r\n  <UploadMethod>Disk</UploadMethod>\r\n  <_x1>a &amp; b &lt; 007</_x1>\r\n</Metadata>\r\n`;
    expect(parseSideFile("metadata", Buffer.from(text), "m.xml")).toEqual([
      ["UploadMethod", "Disk"],
      ["_x1", "a & b < 007"],
    ]);
  });

  test("properties", () => {
    const text =
      "<Properties><Content-Type>text/plain; charset=utf-8</Content-Type><Content-MD5>Q2hlY2sgSW50ZWdyaXR5IQ==</Content-MD5>" +
      "<Cache-Control>no-cache</Cache-Control><Content-Encoding>gzip</Content-Encoding><Content-Language>en</Content-Language></Properties>";
    expect(parseSideFile("properties", Buffer.from(text), "p.xml").map(([name]) => name)).toEqual([
      "Content-Type",
      "Content-MD5",
      "Cache-Control",
      "Content-Encoding",
      "Content-Language",
    ]);
  });

  test.each(["<Metadata/>", "<Metadata></Metadata>", "<Metadata><a/></Metadata>", "<!-- note --><Metadata/>"])(
    "%s",
    (text) => {
      expect(parseSideFile("metadata", Buffer.from(text), "m.xml").length).toBeLessThanOrEqual(1);
    },
  );
});

describe("what is refused", () => {
  test.each([
    ["metadata", "<Properties/>", "root element"],
    ["properties", "<Metadata/>", "root element"],
    ["metadata", "", "well-formed"],
    ["metadata", "plain text", "well-formed"],
    ["metadata", "<Metadata><a>x</b></Metadata>", "well-formed"],
    ["metadata", "<Metadata/><Metadata/>", "several elements"],
    ["metadata", '<!DOCTYPE Metadata [<!ENTITY a "b">]><Metadata><x>&a;</x></Metadata>', "document type"],
    ["metadata", "<Metadata><a-b>x</a-b></Metadata>", '"a-b" is not allowed'],
    ["metadata", "<Metadata><ä>x</ä></Metadata>", "not allowed"],
    ["metadata", "<Metadata><a>x</a><A>y</A></Metadata>", "twice"],
    ["metadata", "<Metadata><a>größe</a></Metadata>", "non-ASCII"],
    ["metadata", "<Metadata><a>x\ny</a></Metadata>", "line breaks"],
    ["metadata", "<Metadata><a><b/></a></Metadata>", "other elements"],
    ["metadata", "<Metadata><a x='1'>y</a></Metadata>", "attributes"],
    ["metadata", "<Metadata>text<a>y</a></Metadata>", "text stands between"],
    ["metadata", `<Metadata><a>${"x".repeat(8200)}</a></Metadata>`, "bytes together"],
    ["metadata", `<Metadata><a>${"x".repeat(300_000)}</a></Metadata>`, "more than"],
    ["properties", "<Properties><Content-Disposition>x</Content-Disposition></Properties>", "no property"],
    ["properties", "<Properties><content-type>x</content-type></Properties>", "no property"],
    ["properties", "<Properties><Etag>x</Etag></Properties>", "on export"],
    ["properties", "<Properties><Content-MD5>1234</Content-MD5></Properties>", "Base64"],
    ["properties", "<Properties><Content-MD5>Q2hlY2sgSW50ZWdyaXR5IR==</Content-MD5></Properties>", "Base64"],
  ] as const)("%s: %s", (kind, text, words) => {
    const error = refusal(kind, text);
    expect(error.code).toBe("SIDE_FILE_INVALID");
    expect(error.problems.map((problem) => problem.message).join("; ")).toContain(words);
  });

  test("UTF-16 and bytes that are no text", () => {
    expect(refusal("metadata", Buffer.from("<Metadata/>", "utf16le")).message).toContain("UTF-8");
    expect(refusal("metadata", Buffer.from([0x3c, 0xff])).message).toContain("UTF-8");
  });

  test("all mistakes at once, with their lines", () => {
    const error = refusal("metadata", "<Metadata>\n<a.b>x</a.b>\n<ok>y</ok>\n<c-d>ü</c-d>\n</Metadata>");
    expect(error.problems.map((problem) => problem.line)).toEqual([2, 4, 4]);
  });

  test("entities do not expand without bound", () => {
    const text = `<Metadata><a>${"&amp;".repeat(1000)}&unknown;</a></Metadata>`;
    expect(() => parseSideFile("metadata", Buffer.from(text), "m.xml")).not.toThrow(RangeError);
  });
});
