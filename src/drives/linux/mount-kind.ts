/** What kind of drive a place is, by the mount it lies on and the block device below that. */
import type { DriveKind } from "../drive.ts";
import type { BlockDevice } from "./block-devices.ts";
import { isBitLockerMapping } from "./disk-guard.ts";
import { type Mount, mountOf } from "./mountinfo.ts";

const NETWORK_FILE_SYSTEMS =
  /^(nfs4?|cifs|smb3|smbfs|9p|drvfs|afs|ceph|glusterfs|lustre|virtiofs|vboxsf|prl_fs|fuse\.(sshfs|rclone|s3fs|glusterfs|davfs2?|blobfuse2?|vmhgfs-fuse))$/;
const CONTAINER_FILE_SYSTEMS = /^(overlay|aufs|fuse\.fuse-overlayfs|unionfs)$/;
const MEMORY_FILE_SYSTEMS = /^(tmpfs|ramfs)$/;

/**
 * @param root real path of the place
 */
export function kindOf(
  root: string,
  mount: Mount | undefined,
  device: BlockDevice | undefined,
  mounts: readonly Mount[],
): DriveKind {
  if (mount === undefined || mount.mountPoint !== root || mount.root !== "/") return "directory";
  if (device !== undefined) {
    if (isBitLockerMapping(device)) return "volume";
    if (/^z?ram\d/.test(device.name)) return "tmpfs";
    if (/^(nbd|rbd)\d/.test(device.name)) return "network";
    return device.backingFile === undefined || isOnDislocker(device.backingFile, mounts) ? "volume" : "loop";
  }
  if (MEMORY_FILE_SYSTEMS.test(mount.fileSystem)) return "tmpfs";
  if (NETWORK_FILE_SYSTEMS.test(mount.fileSystem)) return "network";
  if (CONTAINER_FILE_SYSTEMS.test(mount.fileSystem)) return "container";
  return "volume";
}

/** dislocker shows an opened BitLocker volume as a file, which is then mounted through a loop device. */
function isOnDislocker(backingFile: string, mounts: readonly Mount[]): boolean {
  const mount = mountOf(mounts, backingFile);
  return mount?.fileSystem.startsWith("fuse") === true && /dislocker/.test(`${mount.source} ${mount.fileSystem}`);
}

/** Equal for two places on one volume. `deviceNumber` is what stat says, for file systems without a block device. */
export function volumeKey(deviceNumber: bigint, mount: Mount | undefined, device: BlockDevice | undefined): string {
  if (device !== undefined) return `block ${device.device}`;
  if (mount !== undefined && NETWORK_FILE_SYSTEMS.test(mount.fileSystem)) return `share ${mount.source}`;
  return `device ${deviceNumber}`;
}

/** ntfs-3g shows as `fuseblk`, as does exfat-fuse; the signature tells them apart. */
export function isNtfs(fileSystem: string, signature: string | undefined): boolean {
  if (fileSystem === "fuseblk") return signature === undefined || signature === "" || signature === "ntfs";
  return /^(ntfs|ntfs3|ufsd|fuse\.ntfs-3g)$/.test(fileSystem);
}
