/**
 * What the error log keeps of an entry of the verbose log: blobs with errors or warnings, and of those only the parts
 * that did not succeed. Undefined when nothing is kept.
 */
import type { LogBlob, LogSide } from "./copy-log-model.ts";

/** Dispositions that made something happen which the sender may not expect. */
const WARNING_DISPOSITIONS: ReadonlySet<string> = new Set(["Renamed", "Skipped", "Overwritten"]);
const DONE = "Completed";

export function toErrorLogForm(blob: LogBlob): LogBlob | undefined {
  if (blob.status === DONE && !hasDispositionWarning(blob)) return undefined;
  const { segments, metadata, properties, ...rest } = blob;
  const failed = segments?.items.filter((segment) => segment.status !== DONE) ?? [];
  return {
    ...rest,
    ...(segments === undefined || failed.length === 0 ? {} : { segments: { type: segments.type, items: failed } }),
    ...keepFailed("metadata", metadata),
    ...keepFailed("properties", properties),
  };
}

export function hasDispositionWarning(blob: Pick<LogBlob, "disposition">): boolean {
  return WARNING_DISPOSITIONS.has(blob.disposition?.status ?? "");
}

function keepFailed<K extends string>(name: K, side: LogSide | undefined): { [P in K]?: LogSide } {
  if (side === undefined || side.status === DONE) return {};
  return { [name]: side } as { [P in K]?: LogSide };
}
