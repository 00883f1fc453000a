/** The bars at the foot of a terminal: one per drive and one for all. The only file that knows cli-progress. */
import { MultiBar, type Options, type SingleBar } from "cli-progress";
import type { LiveRegion } from "./output.ts";

export interface BarRow {
  name: string;
  /** 0 to 100. */
  percent: number;
  text: string;
}

export interface BarRegion extends LiveRegion {
  draw(rows: readonly BarRow[]): void;
}

const FRAMES_PER_SECOND = 5;
const BAR_COLUMNS = 20;
const NAME_COLUMNS = 20;

export function createBars(stream: NodeJS.WritableStream): BarRegion {
  const options: Options = {
    stream,
    fps: FRAMES_PER_SECOND,
    barsize: BAR_COLUMNS,
    hideCursor: true,
    // Longer lines are cut, not wrapped: wrapped ones could not be overwritten.
    linewrap: false,
    gracefulExit: false,
    barCompleteChar: "#",
    barIncompleteChar: ".",
    format: "{name} [{bar}] {shown}%  {text}",
  };
  const bars = new MultiBar(options);
  const byName = new Map<string, SingleBar>();
  return {
    draw: (rows) => {
      for (const { name, percent, text } of rows) {
        const payload = { name: fitName(name), shown: String(percent).padStart(3), text };
        const bar = byName.get(name);
        if (bar === undefined) byName.set(name, bars.create(100, percent, payload));
        else bar.update(percent, payload);
      }
    },
    printAbove: (text) => {
      bars.log(text.endsWith("\n") ? text : `${text}\n`);
      bars.update();
    },
    close: () => {
      if (byName.size === 0) return;
      bars.update();
      bars.stop();
    },
  };
}

function fitName(name: string): string {
  return name.length <= NAME_COLUMNS ? name.padEnd(NAME_COLUMNS) : `${name.slice(0, NAME_COLUMNS - 1)}…`;
}
