/** What a copy log says, for people: the drive, the counts, then every cause with its advice. */
import type { CopyLogExplanation, ExplainedCause } from "../copy-log/explain-copy-log.ts";
import { safeText } from "./safe-text.ts";
import { counted, formatCount, formatSize } from "./sizes.ts";
import type { Terminal } from "./terminal.ts";

const PLACE_WORDS: Readonly<Record<ExplainedCause["place"], string>> = {
  drive: "drive",
  blob: "blob",
  disposition: "disposition",
  segment: "block or range",
  metadata: "metadata",
  properties: "properties",
  category: "entry",
};

export function explanationText(path: string, explanation: CopyLogExplanation, terminal: Terminal): string {
  const { generation, driveId, driveStatus, drive, goodEntries, warningEntries, errorEntries } = explanation;
  const id = driveId === "" ? "" : `, drive ${terminal.paint("bold", safeText(driveId))}`;
  const lines = [`${safeText(path)}: log of the form ${generation}${id}`];
  if (drive !== undefined) {
    lines.push(`  drive     ${paintLevel(drive.level, safeText(driveStatus), terminal)}: ${drive.meaning}`);
    if (drive.level === "error") lines.push(`            cause: ${drive.cause}`, `            next: ${drive.next}`);
  }
  const counts = [`${formatCount(errorEntries)} with errors`, `${formatCount(warningEntries)} with warnings`];
  lines.push(`  entries   ${[...counts, `${formatCount(goodEntries)} good`].join(", ")}`);
  if (explanation.totalItems !== undefined) {
    const errored = formatCount(explanation.itemsErrored ?? 0);
    lines.push(`  in all    ${counted(explanation.totalItems, "item")}, ${errored} of them with errors`);
  }
  for (const { group, code, count, description } of explanation.summary) {
    const words = description === undefined || description === "" ? "" : `: ${safeText(description)}`;
    lines.push(`  summary   ${safeText(group)}, ${safeText(code)}: ${formatCount(count)}${words}`);
  }
  for (const cause of explanation.causes) lines.push("", ...causeLines(cause, terminal));
  return `${lines.join("\n")}\n`;
}

function causeLines(cause: ExplainedCause, terminal: Terminal): string[] {
  const { place, code, level, entries, count, bytes, examples } = cause;
  const segments = place === "segment" ? `, ${counted(count, "segment")} of ${formatSize(bytes)}` : "";
  const more = entries - examples.length;
  return [
    `${paintLevel(level, safeText(code), terminal)} (${PLACE_WORDS[place]}), in ${entries === 1 ? "1 entry" : `${formatCount(entries)} entries`}${segments}`,
    `  meaning   ${cause.meaning}`,
    `  cause     ${cause.cause}`,
    `  next      ${cause.next}`,
    ...examples.map((path, index) => `  ${index === 0 ? "where     " : "          "}${safeText(path)}`),
    ...(more > 0 ? [`            and ${formatCount(more)} more; --json tells them all`] : []),
  ];
}

function paintLevel(level: "ok" | "warning" | "error", text: string, { paint }: Terminal): string {
  return paint(level === "ok" ? "green" : level === "warning" ? "yellow" : "red", text);
}
