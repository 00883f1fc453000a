/**
 * Which disks must not be touched: those of the running system, through any stack of LUKS, LVM, RAID and loop devices,
 * and those of which any part is used by something else than the volume in question. Wrong answers here erase data, so
 * whatever is not understood counts as "in use".
 */
import type { BlockDevice, BlockDevices } from "./block-devices.ts";
import type { BlockFacts } from "./lsblk.ts";
import { type Mount, mountOf } from "./mountinfo.ts";

/** Mounted here: part of the running system. Places below, such as /home/me/usb, are where people attach drives. */
const SYSTEM_PLACES: ReadonlySet<string> = new Set(
  "/ /boot /efi /usr /usr/local /var /var/lib /var/log /var/cache /var/tmp /home /root /opt /nix /nix/store /sysroot".split(
    " ",
  ),
);
/** Nobody attaches a drive below these; in a container the files of /etc give the machine's disk away. */
const SYSTEM_TREES = ["/boot/", "/etc/"];

/** Signatures of volumes that are members of something bigger. */
const MEMBER_SIGNATURES: Readonly<Record<string, string>> = {
  crypto_LUKS: "LUKS",
  LVM2_member: "LVM",
  LVM1_member: "LVM",
  linux_raid_member: "RAID",
  isw_raid_member: "RAID",
  ddf_raid_member: "RAID",
  zfs_member: "ZFS",
  bcache: "bcache",
  ceph_bluestore: "Ceph",
  VMFS_volume_member: "VMFS",
  swap: "swap",
};

export function isSystemMountPoint(mountPoint: string): boolean {
  return SYSTEM_PLACES.has(mountPoint) || SYSTEM_TREES.some((tree) => mountPoint.startsWith(tree));
}

/** Kernel names of everything the running system stands on. */
export function systemDevices(devices: BlockDevices, mounts: readonly Mount[], swaps: readonly string[]): Set<string> {
  const tops = mounts.filter((mount) => isSystemMountPoint(mount.mountPoint)).map((mount) => devices.ofMount(mount));
  for (const swap of swaps) {
    const file = mountOf(mounts, swap);
    tops.push(devices.byPath(swap) ?? (file === undefined ? undefined : devices.ofMount(file)));
  }
  const names = new Set<string>();
  for (const top of tops) {
    if (top === undefined) continue;
    for (const device of devices.stackOf(top, true)) names.add(device.name);
  }
  return names;
}

/** What else uses the disks below a mounted volume, in words; undefined when nothing does. */
export function otherUse(
  devices: BlockDevices,
  mounts: readonly Mount[],
  facts: ReadonlyMap<string, BlockFacts>,
  volume: BlockDevice,
  place: string,
  isOwn: (holder: BlockDevice) => boolean = () => false,
): string | undefined {
  const stack = devices.stackOf(volume, false);
  const holds = (name: string, is: (holder: BlockDevice) => boolean): boolean => {
    const holder = devices.byName(name);
    return holder !== undefined && is(holder);
  };
  const own = new Set(stack.map((device) => device.name));
  for (const device of stack) {
    const builtFrom = stackKind(device);
    if (builtFrom !== undefined) return `part of ${builtFrom} ("${device.name}")`;
  }
  for (const disk of devices.disksBelow(volume, false)) {
    for (const part of devices.partsOf(disk)) {
      const mount = mounts.find((m) => m.mountPoint !== place && devices.ofMount(m)?.name === part.name);
      if (mount !== undefined) return `mounted at "${mount.mountPoint}"`;
      const holder = part.holders.find((name) => !own.has(name) && !holds(name, isOwn));
      if (holder !== undefined) return `"${part.name}" is used by "${holder}"`;
      const member = MEMBER_SIGNATURES[facts.get(part.name)?.signature ?? ""];
      if (member !== undefined) return `"${part.name}" is part of ${member}`;
    }
  }
  const again = mounts.find((m) => m.mountPoint !== place && devices.ofMount(m)?.name === volume.name);
  return again === undefined ? undefined : `mounted at "${again.mountPoint}"`;
}

/** BitLocker mappings are drives; every other mapping is something that must not be taken apart. */
function stackKind(device: BlockDevice): string | undefined {
  if (device.isRaid) return "RAID";
  if (device.mapping === undefined || isBitLockerMapping(device)) return undefined;
  if (device.mapping.startsWith("LVM-")) return "LVM";
  if (device.mapping.startsWith("CRYPT-LUKS")) return "LUKS";
  return device.mapping.startsWith("mpath-") ? "multipath" : "device mapper";
}

export function isBitLockerMapping(device: BlockDevice): boolean {
  return device.mapping?.startsWith("CRYPT-BITLK-") === true;
}
