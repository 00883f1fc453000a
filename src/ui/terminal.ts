/**
 * What one output stream can do. Standard output and standard error are asked each on its own, because one of them is
 * often a file or a pipe. Rules: `--color`, then FORCE_COLOR, NO_COLOR, TERM=dumb, then whether it is a terminal.
 */
import { styleText } from "node:util";

export type Style = "bold" | "dim" | "red" | "yellow" | "green" | "cyan";
export type ColorChoice = "auto" | "always" | "never";
export type Environment = Readonly<Record<string, string | undefined>>;

export interface OutputStream {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

export interface Terminal {
  /** Bars, cursor movement and questions are allowed. */
  isInteractive: boolean;
  hasColor: boolean;
  columns: number;
  paint(style: Style, text: string): string;
}

export function describeTerminal(stream: OutputStream, environment: Environment, choice: ColorChoice): Terminal {
  const hasColor = wantsColor(stream, environment, choice);
  return {
    isInteractive: stream.isTTY === true && environment.TERM !== "dumb",
    hasColor,
    columns: stream.columns ?? 100,
    paint: (style, text) => (hasColor ? styleText(style, text, { validateStream: false }) : text),
  };
}

function wantsColor(stream: OutputStream, environment: Environment, choice: ColorChoice): boolean {
  if (choice !== "auto") return choice === "always";
  const forced = environment.FORCE_COLOR;
  if (forced !== undefined && forced !== "") return forced !== "0" && forced !== "false";
  if (environment.NO_COLOR !== undefined && environment.NO_COLOR !== "") return false;
  if (environment.TERM === "dumb") return false;
  return stream.isTTY === true;
}
