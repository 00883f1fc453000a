/** What a disk says of itself: serial number, the bus it hangs on, whether it rotates. */
import type { FileSystem } from "../../platform/file-system.ts";
import { serialToDriveId } from "../drive-id.ts";
import type { BlockDevice, BlockDevices } from "./block-devices.ts";
import type { BlockFacts } from "./lsblk.ts";
import { readText } from "./machine.ts";

export interface DiskIdentity {
  /** Without blanks; "" when it cannot be read. */
  serial: string;
  /** The serial number may be that of a USB enclosure, not of the disk in it. */
  isEnclosures: boolean;
  transport: string;
}

/** Disks behind these drivers do not exist; what they say about rotation is a default. */
const VIRTUAL_DISK = /^(vd|xvd|nbd|zram|ram)/;

export function identifyDisk(
  fs: FileSystem,
  udevData: string,
  disk: BlockDevice | undefined,
  facts: BlockFacts | undefined,
  devices: BlockDevices,
): DiskIdentity {
  const udev = disk === undefined ? new Map<string, string>() : udevProperties(fs, `${udevData}/b${disk.device}`);
  const transport = facts?.transport || udev.get("ID_BUS") || "";
  const fromSysfs =
    disk === undefined
      ? undefined
      : (devices.text(`${disk.path}/device/serial`) ?? devices.text(`${disk.path}/serial`));
  // udev marks disks that answered the ATA identification themselves; else a bridge may have put in its own number.
  const isAta = udev.get("ID_ATA") === "1";
  const fromUdev = isAta ? udev.get("ID_SERIAL_SHORT") : udev.get("ID_SCSI_SERIAL") || udev.get("ID_SERIAL_SHORT");
  const serial = serialToDriveId(fromUdev || facts?.serial || fromSysfs || "");
  return { serial, transport, isEnclosures: serial !== "" && transport === "usb" && !isAta };
}

/** udev's own record of a block device. */
function udevProperties(fs: FileSystem, path: string): Map<string, string> {
  const properties = new Map<string, string>();
  for (const line of readText(fs, path).split("\n")) {
    const match = /^E:([^=]+)=(.*)$/.exec(line);
    if (match?.[1] !== undefined) properties.set(match[1], match[2] ?? "");
  }
  return properties;
}

/** True when any of the disks rotates. */
export function rotationalOf(disks: readonly BlockDevice[], devices: BlockDevices): boolean | "unknown" {
  let answer: boolean | "unknown" = "unknown";
  for (const disk of disks) {
    if (VIRTUAL_DISK.test(disk.name)) continue;
    const flag = devices.text(`${disk.path}/queue/rotational`);
    if (flag === "1") return true;
    if (flag === "0") answer = false;
  }
  return answer;
}
