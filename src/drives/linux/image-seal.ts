/**
 * Encrypts the plain file of a volume into its image or device. The order is what makes an interruption harmless: data first, with
 * a durable mark of how far it is; then the volume's own first sectors and the metadata; sector 0, without which nothing
 * takes the file for a BitLocker volume, last.
 */
import { createHash } from "node:crypto";
import { rangesToConvert } from "../../bitlocker/convert-plan.ts";
import { BitLockerFormatError } from "../../bitlocker/format-error.ts";
import { parseMetadataBlock } from "../../bitlocker/metadata-block.ts";
import { NtfsVolume } from "../../bitlocker/ntfs-volume.ts";
import { type OpenedVolume, openMetadata, openVolume } from "../../bitlocker/open-volume.ts";
import { plainView } from "../../bitlocker/plain-view.ts";
import { keyToBytes } from "../../bitlocker/recovery-password.ts";
import { BOOT_BYTES, METADATA_BYTES, SECTOR_BYTES } from "../../bitlocker/volume-layout.ts";
import { SectorCipher } from "../../bitlocker/xts.ts";
import type { EncryptOptions } from "../encryption/encryption.ts";
import { convertVolume } from "./image-convert.ts";
import { type OpenImageState, type VolumePlaces, writeState } from "./image-state.ts";
import type { LinuxPorts } from "./linux-ports.ts";
import { type VolumeFile, withVolume } from "./volume-file.ts";

/** Places of the result that are read back and compared. */
const SAMPLES = 64;

/** Opens the plain file's metadata; the caller zeroes the data key. */
export async function openPlainFile(
  ports: LinuxPorts,
  places: VolumePlaces,
  { layout }: Pick<OpenImageState, "layout">,
  key: string,
): Promise<OpenedVolume> {
  const block = withVolume(ports.fs, places.plain, "read", (file) => file.read(layout.metadataAt[0], METADATA_BYTES));
  const recoveryKey = keyToBytes(key);
  try {
    return await openMetadata(parseMetadataBlock(block), recoveryKey, ports.stretch);
  } finally {
    recoveryKey.fill(0);
  }
}

/** Comes back when the image is the volume, durably, and its state says so. */
export async function sealImage(
  ports: LinuxPorts,
  places: VolumePlaces,
  state: OpenImageState,
  key: string,
  options: EncryptOptions,
): Promise<OpenImageState> {
  const { fs } = ports;
  const { dataKey } = await openPlainFile(ports, places, state, key);
  try {
    return await withVolume(fs, places.plain, "read", async (plain) => {
      const current = state.phase === "sealing" ? state : beginSealing(ports, places, state);
      await encryptData(ports, places, current, { plain, dataKey }, options);
      withVolume(fs, places.target, "write", (target) => writeFrame(ports, current, plain, target, dataKey));
      await compare(ports, places, current, plain, key);
      const sealed: OpenImageState = { ...current, phase: "sealed" };
      writeState(fs, places, sealed);
      return sealed;
    });
  } finally {
    dataKey.fill(0);
  }
}

function beginSealing({ fs }: LinuxPorts, places: VolumePlaces, state: OpenImageState): OpenImageState {
  const sealing: OpenImageState = { ...state, phase: "sealing", doneBelow: 0 };
  writeState(fs, places, sealing);
  withVolume(fs, places.target, "write", (target) => {
    // Of what a new image held before, nothing may shine through where the new volume has free space.
    if (state.isNew && !target.isDevice) target.truncate(0);
    else target.write(0, Buffer.alloc(SECTOR_BYTES));
    if (!target.isDevice && target.sizeBytes() < state.sizeBytes) target.truncate(state.sizeBytes);
    target.flush();
  });
  return sealing;
}

async function encryptData(
  ports: LinuxPorts,
  places: VolumePlaces,
  state: OpenImageState,
  { plain, dataKey }: { plain: VolumeFile; dataKey: Buffer },
  options: EncryptOptions,
): Promise<void> {
  const volume = new NtfsVolume(plain.read);
  await withVolume(ports.fs, places.target, "write", async (target) => {
    await convertVolume(ports, { from: places.plain, to: places.target }, "encrypt", dataKey, {
      ranges: () => rangesToConvert(volume, state.layout, state.doneBelow),
      totalBytes: volume.usedBytes(),
      onMark: (doneBelow) => {
        target.flush();
        writeState(ports.fs, places, { ...state, doneBelow });
      },
      ...options,
    });
    target.flush();
  });
}

function writeFrame(
  { random }: LinuxPorts,
  state: OpenImageState,
  plain: VolumeFile,
  target: VolumeFile,
  dataKey: Buffer,
): void {
  const { layout } = state;
  const boot = plain.read(0, layout.bootCopyBytes);
  new SectorCipher(dataKey).encrypt(boot, layout.bootCopyAt / SECTOR_BYTES);
  target.write(layout.bootCopyAt, boot);
  for (const at of layout.metadataAt) target.write(at, plain.read(at, METADATA_BYTES));
  target.flush();
  if (state.isNew) target.write(SECTOR_BYTES, random.bytes(BOOT_BYTES - SECTOR_BYTES));
  target.flush();
  target.write(0, Buffer.from(state.header, "hex"));
  target.flush();
}

/** Opens the result with the key as any reader would, and compares places all over it with what it was made from. */
async function compare(
  ports: LinuxPorts,
  places: VolumePlaces,
  { layout }: OpenImageState,
  plain: VolumeFile,
  key: string,
): Promise<void> {
  await withVolume(ports.fs, places.target, "read", async (target) => {
    const opened = await openVolume(target.read, layout.sizeBytes, key, ports.stretch);
    try {
      const view = plainView(target.read, opened);
      const ranges = [...sample(rangesToConvert(new NtfsVolume(view), layout)), { at: 0, bytes: layout.bootCopyBytes }];
      for (const { at, bytes } of ranges) {
        if (digest(view(at, bytes)).equals(digest(plain.read(at, bytes)))) continue;
        throw new BitLockerFormatError("damaged", `it does not read back as it was written (at byte ${at})`);
      }
    } finally {
      opened.dataKey.fill(0);
    }
  });
}

/** Some of many, kept by replacing: evenly from a sequence of a length not known. */
function sample<T>(items: Iterable<T>): T[] {
  let kept: T[] = [];
  let step = 1;
  let index = 0;
  for (const item of items) {
    if (index++ % step !== 0) continue;
    kept.push(item);
    if (kept.length < 2 * SAMPLES) continue;
    kept = kept.filter((_, i) => i % 2 === 0);
    step *= 2;
  }
  return kept;
}

function digest(bytes: Buffer): Buffer {
  return createHash("sha256").update(bytes).digest();
}
