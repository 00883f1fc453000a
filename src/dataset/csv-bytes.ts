/**
 * Is this file the text it should be? Spreadsheets save CSV as UTF-16, as semicolon-separated or in an old code page;
 * each of these is named as what it is, because "unknown header" would send people looking in the wrong place.
 */
import { isUtf8 } from "node:buffer";
import { InputError, type InputProblem } from "../platform/app-error.ts";
import type { ErrorCode } from "../platform/error-codes.ts";
import { shownValue } from "./shown-value.ts";

const LINE_FEED = 0x0a;
const SNIFFED_BYTES = 4096;

/** Returns `content` without a byte order mark; throws CSV_ENCODING when it is not UTF-8 text. */
export function requireUtf8Text(content: Uint8Array, file: string): Uint8Array {
  const utf16 = utf16Kind(content);
  if (utf16 !== undefined) {
    throw encodingError(file, { file, message: `the file is ${utf16} text`, expected: "UTF-8, comma separated" });
  }
  const nul = content.indexOf(0);
  if (nul >= 0) {
    throw encodingError(file, {
      file,
      line: lineOf(content, nul),
      message: "the file holds a NUL byte: it is not a text file",
      expected: "UTF-8, comma separated",
    });
  }
  if (!isUtf8(content)) {
    throw encodingError(file, {
      file,
      line: firstBadLine(content),
      message: "the line holds bytes that are not UTF-8",
      expected: "UTF-8 (spreadsheets call it 'CSV UTF-8')",
    });
  }
  const hasMark = content[0] === 0xef && content[1] === 0xbb && content[2] === 0xbf;
  return hasMark ? content.subarray(3) : content;
}

/** Throws CSV_SEPARATOR when the first line that is not blank is separated by semicolons or tabs. */
export function requireCommas(content: Uint8Array, file: string): void {
  const head = Buffer.from(content.buffer, content.byteOffset, Math.min(content.length, SNIFFED_BYTES)).toString(
    "utf8",
  );
  const first = head.split(/\r\n|\n|\r/).find((line) => line.trim() !== "") ?? "";
  const separator = /^sep=(.)$/i.exec(first.trim())?.[1] ?? (first.includes(",") ? "," : /[;\t]/.exec(first)?.[0]);
  if (separator !== ";" && separator !== "\t") return;
  const name = separator === ";" ? "semicolons" : "tabs";
  const problem = {
    file,
    line: 1,
    value: shownValue(first),
    message: `the columns are separated by ${name}`,
    expected: "commas",
  };
  throw new InputError("CSV_SEPARATOR", `"${file}" is separated by ${name}, not by commas`, [problem]);
}

function encodingError(file: string, problem: InputProblem): InputError {
  const code: ErrorCode = "CSV_ENCODING";
  const where = problem.line === undefined ? "" : ` (line ${problem.line})`;
  return new InputError(code, `"${file}" is not UTF-8 text: ${problem.message}${where}`, [problem]);
}

/** By its mark, or by NUL in every second byte of the beginning (text in Latin letters without a mark). */
function utf16Kind(content: Uint8Array): string | undefined {
  if (content[0] === 0xff && content[1] === 0xfe) return "UTF-16 (little-endian)";
  if (content[0] === 0xfe && content[1] === 0xff) return "UTF-16 (big-endian)";
  const end = Math.min(content.length, SNIFFED_BYTES);
  let nulAtEven = 0;
  let nulAtOdd = 0;
  for (let i = 0; i < end; i++) {
    if (content[i] === 0) {
      if (i % 2 === 0) nulAtEven++;
      else nulAtOdd++;
    }
  }
  if (nulAtOdd * 4 > end && nulAtEven * 16 < end) return "UTF-16 (little-endian)";
  if (nulAtEven * 4 > end && nulAtOdd * 16 < end) return "UTF-16 (big-endian)";
  return undefined;
}

function lineOf(content: Uint8Array, offset: number): number {
  let line = 1;
  for (let at = content.indexOf(LINE_FEED); at >= 0 && at < offset; at = content.indexOf(LINE_FEED, at + 1)) line++;
  return line;
}

function firstBadLine(content: Uint8Array): number {
  let line = 1;
  for (let start = 0; start < content.length; line++) {
    const feed = content.indexOf(LINE_FEED, start);
    const end = feed < 0 ? content.length : feed + 1;
    if (!isUtf8(content.subarray(start, end))) return line;
    start = end;
  }
  return line;
}
