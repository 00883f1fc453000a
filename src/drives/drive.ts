/** A drive of the drive set as it was found on this machine: what it is, how much it holds, what speaks against it. */

/**
 * `volume`: a volume on a physical disk, mounted at `root`; `partition`: one that is mounted nowhere; `image`: a regular
 * file holding a volume; the rest has no disk that could be shipped and serves rehearsals: a plain directory, or a mount
 * of a loop device, of memory, of a network share, of a container's layered file system.
 */
export type DriveKind = "volume" | "partition" | "directory" | "loop" | "tmpfs" | "network" | "container" | "image";

/** True where `root` is no directory yet: the volume is mounted only while a session works on it. */
export function isUnmounted(drive: Pick<Drive, "kind">): boolean {
  return drive.kind === "image" || drive.kind === "partition";
}

export interface Drive {
  /** Hardware serial without blanks, or `MOCK...`, or what `--drive-id` says. */
  driveId: string;
  /** As written in the drive set. */
  place: string;
  /** Absolute, real path of the directory that receives `DriveManifest.xml`; of an image or partition: file or device. */
  root: string;
  kind: DriveKind;
  model: string;
  serial?: string;
  /** Of the volume, not of the disk. */
  sizeBytes: number;
  freeBytes: number;
  clusterBytes: number;
  /** As the system calls it: `ntfs3`, `ext4`, `tmpfs`. */
  fileSystem: string;
  /** Equal for two places on the same volume. */
  volumeKey: string;
  rotational: boolean | "unknown";
  /** `usb`, `sata`, `nvme`, ...; "" where there is no hardware or it does not tell. */
  transport: string;
  ntfs: boolean;
  removable: boolean;
  /** What is on it, in words, for the question before it is erased. */
  contents: string;
  /** The running system lies on the same disk: boot, root, swap or system directories. */
  isSystem: boolean;
  /** Why the disk is not free, in words: mounted elsewhere, part of RAID, LVM, LUKS. */
  inUseBy?: string;
  /** What can encrypt this kind of drive, on a machine that has the tools for it. */
  encryptable: "bitlocker" | "mock" | "none";
  /** Why `encryptable` is "none". */
  reasons: readonly string[];
  /** First sector of a partition on its disk. */
  startSector?: number;
  /** An image that does not exist yet. */
  isToBeMade?: true;
  /** Names in the root of a volume that is not mounted, where they are known. */
  rootNames?: readonly string[];
  /** To be told before the drive is used. */
  warnings: readonly string[];
}
