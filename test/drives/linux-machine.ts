/** Builds what a Linux machine shows of its disks (mountinfo, sysfs, udev, lsblk) from a short description. */
import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import type { DriveProbe } from "../../src/drives/probe.ts";
import { createLinuxProbe } from "../../src/drives/probe-linux.ts";
import type { ProcessRunner } from "../../src/platform/processes.ts";
import { temporaryDirectory } from "../platform/temporary-directory.ts";
import { rootedFileSystem } from "./rooted-file-system.ts";

export interface MachineDisk {
  name: string;
  /** `major:minor`. */
  device: string;
  /** Disk of a partition. */
  disk?: string;
  slaves?: string[];
  backingFile?: string;
  mapping?: string;
  raid?: boolean;
  rotational?: boolean;
  serial?: string;
  model?: string;
  transport?: string;
  signature?: string;
  /** Of a partition, in sectors of 512 bytes. */
  start?: number;
  size?: number;
  /** Of a disk, when they are not 512. */
  sectorBytes?: number;
  /** Name of a mapping. */
  mappingName?: string;
  udev?: Record<string, string>;
}

export interface MachineMount {
  at: string;
  device?: string;
  source?: string;
  fileSystem: string;
  root?: string;
}

export interface Machine {
  disks?: MachineDisk[];
  mounts: MachineMount[];
  swaps?: string[];
  /** Below /dev/mapper, by name. */
  mappings?: Record<string, string>;
  /** Members of one btrfs. */
  btrfs?: string[];
  files?: Record<string, string>;
}

export function linuxMachine(machine: Machine): DriveProbe {
  const base = realpathSync(temporaryDirectory());
  const write = (path: string, content: string): void => {
    mkdirSync(join(base, dirname(path)), { recursive: true });
    writeFileSync(join(base, path), content);
  };
  for (const mount of machine.mounts) mkdirSync(join(base, mount.at), { recursive: true });
  for (const [path, content] of Object.entries(machine.files ?? {})) write(path, content);
  write("/proc/self/mountinfo", machine.mounts.map(mountLine).join(""));
  write("/proc/swaps", ["Filename Type Size Used Priority", ...(machine.swaps ?? [])].join("\n"));
  for (const disk of machine.disks ?? []) buildDisk(base, disk, machine, write);
  for (const [name, target] of Object.entries(machine.mappings ?? {}))
    link(base, `/dev/mapper/${name}`, `/dev/${target}`);
  for (const member of machine.btrfs ?? []) write(`/sys/fs/btrfs/0000-uuid/devices/${member}`, "");
  return createLinuxProbe(rootedFileSystem(base), lsblkOf(machine));
}

function mountLine(mount: MachineMount, index: number): string {
  const at = mount.at.replaceAll(" ", "\\040");
  const head = `${index + 20} 1 ${mount.device ?? `0:${index + 30}`} ${mount.root ?? "/"} ${at} rw,relatime`;
  return `${head} shared:${index} - ${mount.fileSystem} ${mount.source ?? mount.fileSystem} rw\n`;
}

function buildDisk(
  base: string,
  disk: MachineDisk,
  machine: Machine,
  write: (path: string, content: string) => void,
): void {
  const isVirtual = /^(dm-|md|loop|zram)/.test(disk.name);
  const top = isVirtual ? "/sys/devices/virtual/block" : "/sys/devices/pci0/block";
  const path = disk.disk === undefined ? `${top}/${disk.name}` : `${top}/${disk.disk}/${disk.name}`;
  write(`${path}/dev`, `${disk.device}\n`);
  if (disk.disk !== undefined) write(`${path}/partition`, "1\n");
  if (disk.rotational !== undefined) write(`${path}/queue/rotational`, disk.rotational ? "1\n" : "0\n");
  if (disk.backingFile !== undefined) write(`${path}/loop/backing_file`, `${disk.backingFile}\n`);
  if (disk.mapping !== undefined) write(`${path}/dm/uuid`, `${disk.mapping}\n`);
  if (disk.mappingName !== undefined) write(`${path}/dm/name`, `${disk.mappingName}\n`);
  if (disk.start !== undefined) write(`${path}/start`, `${disk.start}\n`);
  if (disk.size !== undefined) write(`${path}/size`, `${disk.size}\n`);
  if (disk.sectorBytes !== undefined) write(`${path}/queue/logical_block_size`, `${disk.sectorBytes}\n`);
  if (disk.raid) write(`${path}/md/level`, "raid1\n");
  for (const slave of disk.slaves ?? []) write(`${path}/slaves/${slave}`, "");
  for (const holder of machine.disks ?? []) {
    if (holder.slaves?.includes(disk.name)) write(`${path}/holders/${holder.name}`, "");
  }
  link(base, `/sys/class/block/${disk.name}`, path);
  link(base, `/sys/dev/block/${disk.device}`, path);
  write(`/dev/${disk.name}`, "");
  const properties = Object.entries(disk.udev ?? {}).map(([name, value]) => `E:${name}=${value}\n`);
  if (properties.length > 0) write(`/run/udev/data/b${disk.device}`, `S:disk/by-id/x\nI:123\n${properties.join("")}`);
}

function link(base: string, path: string, target: string): void {
  mkdirSync(join(base, dirname(path)), { recursive: true });
  symlinkSync(relative(dirname(path), target), join(base, path));
}

function lsblkOf(machine: Machine): ProcessRunner {
  const blockdevices = (machine.disks ?? []).map((disk) => ({
    name: disk.name,
    kname: disk.name,
    model: disk.model ?? null,
    serial: disk.serial ?? null,
    tran: disk.transport ?? null,
    fstype: disk.signature ?? null,
    rota: disk.rotational ?? null,
  }));
  return { run: async () => ({ exitCode: 0, stdout: JSON.stringify({ blockdevices }), stderr: "" }) };
}
