/** Single records out of the packed records of a unit. */
import { type PlannedFile, planRecordLength, planRecordPosition, readPlanRecord } from "./plan-record.ts";

export function toPlanned(record: Uint8Array): PlannedFile {
  return readPlanRecord(Buffer.from(record.buffer, record.byteOffset, record.length), 0);
}

export function findRecord(records: Uint8Array, position: number): Uint8Array {
  const buffer = Buffer.from(records.buffer, records.byteOffset, records.length);
  for (let at = 0; at < buffer.length; ) {
    const end = at + planRecordLength(buffer, at);
    if (planRecordPosition(buffer, at) === position) return records.subarray(at, end);
    at = end;
  }
  throw new Error(`position ${position} is not in its unit`);
}
