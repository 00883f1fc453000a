/**
 * The block devices as sysfs describes them: which disk a partition lies on, and what a stack of LUKS, LVM, RAID or loop
 * devices stands on, all the way down. Guards that look at direct children only have let mounted disks through.
 */
import { basename, dirname } from "node:path";
import { readWholeFile } from "../../platform/durable-file.ts";
import type { FileSystem } from "../../platform/file-system.ts";
import { type Mount, mountOf } from "./mountinfo.ts";

export interface BlockDevice {
  /** `major:minor`. */
  device: string;
  /** Kernel name: `sda1`, `dm-0`. */
  name: string;
  /** Kernel name of the whole disk; the device's own when it is no partition. */
  disk: string;
  /** sysfs directory of the device and of its disk. */
  path: string;
  diskPath: string;
  /** Kernel names of what it is built from (device mapper, RAID) and of what is built on it. */
  slaves: readonly string[];
  holders: readonly string[];
  /** File behind a loop device. */
  backingFile?: string;
  /** `CRYPT-LUKS2-...`, `LVM-...`, `CRYPT-BITLK-...` of device mapper. */
  mapping?: string;
  isRaid: boolean;
}

export class BlockDevices {
  readonly #fs: FileSystem;
  readonly #sys: string;
  readonly #mounts: readonly Mount[];
  /** By sysfs link. One object is one look at the machine: nothing changes while it lives. */
  readonly #loaded = new Map<string, BlockDevice | undefined>();

  constructor(fs: FileSystem, sys: string, mounts: readonly Mount[]) {
    this.#fs = fs;
    this.#sys = sys;
    this.#mounts = mounts;
  }

  /** By `major:minor`; undefined for devices that are no block devices. */
  byNumber(device: string): BlockDevice | undefined {
    return this.#load(`${this.#sys}/dev/block/${device}`);
  }

  byName(name: string): BlockDevice | undefined {
    return this.#load(`${this.#sys}/class/block/${name}`);
  }

  /** The block device that a mount is of, also where the file system hides it behind a number of its own (btrfs). */
  ofMount(mount: Mount): BlockDevice | undefined {
    return mount.device.startsWith("0:") ? this.byPath(mount.source) : this.byNumber(mount.device);
  }

  /** By a path below /dev, links such as /dev/mapper/x resolved. */
  byPath(path: string): BlockDevice | undefined {
    if (!path.startsWith("/dev/")) return undefined;
    try {
      return this.byName(basename(this.#fs.realpath(path)));
    } catch {
      return undefined;
    }
  }

  /**
   * The device itself and everything it stands on, down to whole disks. A loop device over a file ends the stack unless
   * `throughFiles`: then it goes on to the disk that holds the file.
   */
  stackOf(top: BlockDevice, throughFiles: boolean): BlockDevice[] {
    const found = new Map<string, BlockDevice>();
    const pending: (BlockDevice | undefined)[] = [top];
    while (pending.length > 0) {
      const device = pending.pop();
      if (device === undefined || found.has(device.name)) continue;
      found.set(device.name, device);
      if (device.disk !== device.name) pending.push(this.byName(device.disk));
      for (const slave of device.slaves) pending.push(this.byName(slave));
      pending.push(this.#behindLoop(device, throughFiles));
      for (const member of this.#btrfsMembers(device.name)) pending.push(this.byName(member));
    }
    return [...found.values()];
  }

  /** The whole disks at the bottom of the stack. */
  disksBelow(top: BlockDevice, throughFiles: boolean): BlockDevice[] {
    return this.stackOf(top, throughFiles).filter((device) => {
      const standsOnOthers = device.slaves.length > 0 || this.#behindLoop(device, throughFiles) !== undefined;
      return device.disk === device.name && !standsOnOthers;
    });
  }

  /** The disk itself and its partitions. */
  partsOf(disk: BlockDevice): BlockDevice[] {
    const parts = this.#names(disk.path).filter((name) => this.text(`${disk.path}/${name}/partition`) !== undefined);
    return [disk, ...parts.map((name) => this.byName(name)).filter((part) => part !== undefined)];
  }

  /** What a file below /sys holds, without the newline; undefined when it is not there. */
  text(path: string): string | undefined {
    try {
      return readWholeFile(this.#fs, path, 64 * 1024)
        .toString("utf8")
        .trim();
    } catch {
      return undefined;
    }
  }

  #behindLoop({ backingFile }: BlockDevice, throughFiles: boolean): BlockDevice | undefined {
    if (backingFile === undefined) return undefined;
    const direct = this.byPath(backingFile);
    if (direct !== undefined || !throughFiles) return direct;
    const mount = mountOf(this.#mounts, backingFile);
    return mount === undefined ? undefined : this.ofMount(mount);
  }

  /** All devices of a btrfs that one of its devices belongs to: the mount names only one of them. */
  #btrfsMembers(name: string): string[] {
    for (const uuid of this.#names(`${this.#sys}/fs/btrfs`)) {
      const members = this.#names(`${this.#sys}/fs/btrfs/${uuid}/devices`);
      if (members.includes(name)) return members;
    }
    return [];
  }

  #load(link: string): BlockDevice | undefined {
    if (!this.#loaded.has(link)) this.#loaded.set(link, this.#read(link));
    return this.#loaded.get(link);
  }

  #read(link: string): BlockDevice | undefined {
    let path: string;
    try {
      path = this.#fs.realpath(link);
    } catch {
      return undefined;
    }
    const device = this.text(`${path}/dev`);
    if (device === undefined) return undefined;
    const diskPath = this.text(`${path}/partition`) === undefined ? path : dirname(path);
    const backingFile = this.text(`${path}/loop/backing_file`);
    const mapping = this.text(`${path}/dm/uuid`);
    return {
      device,
      name: basename(path),
      disk: basename(diskPath),
      path,
      diskPath,
      slaves: this.#names(`${path}/slaves`),
      holders: this.#names(`${path}/holders`),
      ...(backingFile === undefined ? {} : { backingFile }),
      ...(mapping === undefined ? {} : { mapping }),
      isRaid: this.text(`${path}/md/level`) !== undefined,
    };
  }

  #names(path: string): string[] {
    try {
      return this.#fs.readdir(path).map((entry) => entry.name);
    } catch {
      return [];
    }
  }
}
