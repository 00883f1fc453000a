import { constants } from "node:fs";
import type { FileSystem } from "../platform/file-system.ts";

const CHUNK_BYTES = 64 * 1024;
const LINE_FEED = 10;

/**
 * Calls `onLine` for every whole line from `start` on, without its end, until it returns false. A last line without its
 * end is left out. Returns the offset behind the last whole line.
 */
export function forEachLine(
  fs: FileSystem,
  fd: number,
  start: number,
  onLine: (line: string, offset: number) => boolean,
): number {
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  let carried: Buffer[] = [];
  let lineStart = start;
  for (let position = start; ; ) {
    const count = fs.read(fd, buffer, 0, buffer.length, position);
    if (count === 0) return lineStart;
    const chunk = buffer.subarray(0, count);
    let from = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, from)) {
      const line = Buffer.concat([...carried, chunk.subarray(from, end)]).toString("utf8");
      carried = [];
      from = end + 1;
      const offset = lineStart;
      lineStart = position + from;
      if (!onLine(line, offset)) return lineStart;
    }
    carried.push(Buffer.from(chunk.subarray(from)));
    position += count;
  }
}

/** The whole lines of a file, pulled. */
export function* readLines(fs: FileSystem, path: string): Generator<string> {
  const fd = fs.open(path, constants.O_RDONLY);
  try {
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    let carried: Buffer[] = [];
    for (let position = 0; ; ) {
      const count = fs.read(fd, buffer, 0, buffer.length, position);
      if (count === 0) return;
      position += count;
      let from = 0;
      for (let end = buffer.indexOf(LINE_FEED); end >= 0 && end < count; end = buffer.indexOf(LINE_FEED, from)) {
        const piece = Buffer.from(buffer.subarray(from, end));
        from = end + 1;
        yield carried.length === 0 ? piece.toString("utf8") : Buffer.concat([...carried, piece]).toString("utf8");
        carried = [];
      }
      carried.push(Buffer.from(buffer.subarray(from, count)));
    }
  } finally {
    fs.close(fd);
  }
}
