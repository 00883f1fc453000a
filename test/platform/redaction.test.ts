import { describe, expect, test } from "vitest";
import { Redactor } from "../../src/platform/redaction.ts";

const KEY = "002816-008470-014124-019778-025432-031086-036740-042394";
const MASKED_KEY = "******-******-******-******-******-******-******-042394";
const ACCOUNT_KEY = `${"aB3/+9".repeat(14)}Zz==`;

describe("without anything registered", () => {
  const redactor = new Redactor();

  test.each([
    ["a BitLocker key", `/bk:${KEY} end`, `/bk:${MASKED_KEY} end`],
    ["a BitLocker key with blanks", KEY.replaceAll("-", " "), MASKED_KEY],
    ["a BitLocker key without separators", KEY.replaceAll("-", ""), MASKED_KEY],
    ["a SAS", "https://a/b?sv=1&sig=abc%2Bdef%3D&se=2", "https://a/b?sv=1&sig=***&se=2"],
    ["a SAS in XML", "<U>https://a/b?sv=1&amp;sig=abc&amp;se=2</U>", "<U>https://a/b?sv=1&amp;sig=***&amp;se=2</U>"],
    ["a SAS inside another URL", "?u=https%3A%2F%2Fa%3Fsig%3Dabc%26se%3D2", "?u=https%3A%2F%2Fa%3Fsig%3D***%26se%3D2"],
    ["a connection string", "AccountName=n;AccountKey=abc+/==;X=1", "AccountName=n;AccountKey=***;X=1"],
    ["an account key", `/sk:${ACCOUNT_KEY} /v`, "/sk:*** /v"],
    ["a percent-encoded account key", `k=${encodeURIComponent(ACCOUNT_KEY)}&v`, "k=***&v"],
  ])("masks %s", (_what, text, expected) => {
    expect(redactor.redact(text)).toBe(expected);
  });

  test("leaves hashes, ids, paths and numbers alone", () => {
    const text = `D863FE44F861AE0DA4DCEAEEFFCCCE68 session#1-0 "C:\\sig\\a.txt" 123456-123456 signature=x kD0yGnnPGYVU3m3+4EqZqw==`;
    expect(redactor.redact(text)).toBe(text);
  });
});

describe("with registered secrets", () => {
  const secret = 'p"a\\ss wörd&<x>';
  const redactor = new Redactor();
  redactor.add(secret);
  redactor.add("");

  test.each([
    ["as it is", secret],
    ["in JSON", JSON.stringify({ value: secret })],
    ["in JSON in JSON", JSON.stringify(JSON.stringify(secret))],
    ["percent-encoded", encodeURIComponent(secret)],
    ["in Base64", Buffer.from(secret).toString("base64")],
    ["in the Base64 of a longer text", Buffer.from(`user:${secret}`).toString("base64")],
    ["in hexadecimal digits", Buffer.from(secret).toString("hex").toUpperCase()],
  ])("masks one %s", (_how, text) => {
    expect(redactor.redact(`before ${text} after`)).toMatch(/^before .*\*\*\*.* after$/);
  });

  test("masks all of a longer secret that begins with a shorter one", () => {
    const both = new Redactor();
    both.add("secret");
    both.add("secret-and-more");
    expect(both.redact("x secret-and-more y")).toBe("x *** y");
  });

  test("redacts JSON values with their structure kept", () => {
    const value = { a: [secret, 1, null, true], [secret]: { key: KEY } };
    expect(redactor.redactValue(value)).toEqual({ a: ["***", 1, null, true], "***": { key: MASKED_KEY } });
  });
});
