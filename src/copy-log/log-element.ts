import type { LogSegment } from "./copy-log-model.ts";

/** An element of one entry. Blocks and ranges are kept apart: a page blob of 8 TiB has two million. */
export interface LogElement {
  name: string;
  attributes: Readonly<Record<string, string>>;
  text: string;
  children: LogElement[];
  segments: LogSegment[];
}

/** Names what is wrong; the reader adds the position. */
export class LogProblem extends Error {}
