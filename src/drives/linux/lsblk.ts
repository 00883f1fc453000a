/** Reads `lsblk --json -O --bytes`: model, serial number, transport and signatures of all block devices. */
import * as z from "zod/mini";
import type { ProcessRunner } from "../../platform/processes.ts";

/** What one device says of itself. Older releases write numbers and booleans as strings. */
export interface BlockFacts {
  name: string;
  model: string;
  serial: string;
  transport: string;
  label: string;
  /** Signature found on it: `ntfs`, `crypto_LUKS`, `LVM2_member`, ... */
  signature: string;
  removable: boolean;
  rotational: boolean | "unknown";
}

const text = z.nullish(z.string());
const flag = z.nullish(z.union([z.boolean(), z.string()]));
const Device = z.object({
  name: z.string(),
  kname: text,
  model: text,
  vendor: text,
  serial: text,
  tran: text,
  label: text,
  fstype: text,
  rm: flag,
  hotplug: flag,
  rota: flag,
  get children() {
    return z.nullish(z.array(Device));
  },
});
const Listing = z.object({ blockdevices: z.array(Device) });

/** By kernel name. Empty when the text is not what lsblk prints. */
export function parseLsblk(json: string): Map<string, BlockFacts> {
  const facts = new Map<string, BlockFacts>();
  const listing = Listing.safeParse(parseJson(json));
  const pending = listing.success ? [...listing.data.blockdevices] : [];
  for (let device = pending.pop(); device !== undefined; device = pending.pop()) {
    pending.push(...(device.children ?? []));
    const name = device.kname || device.name;
    const model = [device.vendor, device.model].map((part) => part?.trim()).filter(Boolean);
    facts.set(name, {
      name,
      // Behind an ATA translation and on virtual disks the vendor is a filler.
      model: model.filter((part) => part !== "ATA" && !/^0x/.test(part ?? "")).join(" "),
      serial: device.serial?.trim() ?? "",
      transport: device.tran ?? "",
      label: device.label ?? "",
      signature: device.fstype ?? "",
      removable: isSet(device.rm) || isSet(device.hotplug),
      rotational: device.rota === null || device.rota === undefined ? "unknown" : isSet(device.rota),
    });
  }
  return facts;
}

/** Asks lsblk; without it nothing is known but what sysfs tells. */
export async function runLsblk(runner: ProcessRunner): Promise<Map<string, BlockFacts>> {
  const result = await runner.run("lsblk", ["--json", "-O", "--bytes"], { timeoutMs: 30_000 });
  return result.exitCode === 0 ? parseLsblk(result.stdout) : new Map();
}

function isSet(value: boolean | string | null | undefined): boolean {
  return value === true || value === "1" || value === "true";
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
