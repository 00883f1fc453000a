/** An opened volume as its file system sees it, read only and piece by piece. */
import type { OpenedVolume, ReadAt } from "./open-volume.ts";
import { type Extent, METADATA_BYTES, SECTOR_BYTES, type VolumeLayout } from "./volume-layout.ts";
import { SectorCipher } from "./xts.ts";

/** The reader keeps the data key in its cipher for as long as it lives. */
export function plainView(read: ReadAt, { layout, dataKey }: Pick<OpenedVolume, "layout" | "dataKey">): ReadAt {
  const cipher = new SectorCipher(dataKey);
  const hidden = hiddenAreas(layout);
  const decrypted = (at: number, bytes: number): Buffer => {
    const part = Buffer.from(read(at, bytes));
    cipher.decrypt(part, at / SECTOR_BYTES);
    return part;
  };
  return (at, bytes) => {
    const from = Math.floor(at / SECTOR_BYTES) * SECTOR_BYTES;
    const until = Math.min(layout.sizeBytes, Math.ceil((at + bytes) / SECTOR_BYTES) * SECTOR_BYTES);
    const view = decrypted(from, until - from);
    for (const area of hidden) fill(view, from, area, (to) => to.fill(0));
    const boot: Extent = { at: 0, bytes: layout.bootCopyBytes };
    fill(view, from, boot, (to, offset) => decrypted(layout.bootCopyAt + offset, to.length).copy(to));
    return view.subarray(at - from, at - from + bytes);
  };
}

/** Areas that belong to BitLocker: readers show them as zeros. */
export function hiddenAreas(layout: VolumeLayout): Extent[] {
  return [
    ...layout.metadataAt.map((at) => ({ at, bytes: METADATA_BYTES })),
    { at: layout.bootCopyAt, bytes: layout.bootCopyBytes },
  ];
}

/** Calls `write` with the part of `view` that lies in `area`; `offset` counts within the area. */
function fill(view: Buffer, viewAt: number, area: Extent, write: (to: Buffer, offset: number) => void): void {
  const from = Math.max(viewAt, area.at);
  const until = Math.min(viewAt + view.length, area.at + area.bytes);
  if (from < until) write(view.subarray(from - viewAt, until - viewAt), from - area.at);
}
