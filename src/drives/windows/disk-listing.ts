/**
 * What PowerShell's storage cmdlets say about volumes, partitions and disks. The script projects the fields it needs and
 * prints one JSON object: the cmdlets' own objects are deep, and Windows PowerShell prints enumerations as numbers.
 */
import * as z from "zod/mini";

/** Runs with `powershell.exe -NoLogo -NoProfile -NonInteractive -Command -`, the script on standard input. */
export const LIST_VOLUMES_SCRIPT = `
$ErrorActionPreference='Stop'; $ProgressPreference='SilentlyContinue'
[Console]::OutputEncoding=[Text.UTF8Encoding]::new()
try {
  $pageFiles=@(Get-CimInstance Win32_PageFileUsage | % { "$($_.Name)" })
  $volumes=@(Get-Volume | ? { $_.DriveLetter } | % {
    $v=$_
    $p=Get-Partition -Volume $v -ErrorAction SilentlyContinue | Select-Object -First 1
    $d=if ($p) { Get-Disk -Number $p.DiskNumber -ErrorAction SilentlyContinue } else { $null }
    $m=if ($d) { Get-PhysicalDisk -ErrorAction SilentlyContinue | ? { $_.DeviceId -eq "$($d.Number)" } | Select-Object -First 1 } else { $null }
    [pscustomobject]@{
      letter="$($v.DriveLetter)"; label="$($v.FileSystemLabel)"; fileSystem="$($v.FileSystemType)"; driveType="$($v.DriveType)"
      sizeBytes=$v.Size; freeBytes=$v.SizeRemaining; clusterBytes=$v.AllocationUnitSize; uniqueId="$($v.UniqueId)"
      disk=if ($d) { [pscustomobject]@{
        number=$d.Number; model="$($d.FriendlyName)"; serial="$($d.SerialNumber)"; bus="$($d.BusType)"; sectorBytes=$d.LogicalSectorSize
        isSystem=[bool]$d.IsSystem; isBoot=[bool]$d.IsBoot; isReadOnly=[bool]$d.IsReadOnly; mediaType=if ($m) { "$($m.MediaType)" } else { '' }
        letters=@(Get-Partition -DiskNumber $d.Number | ? { $_.DriveLetter } | % { "$($_.DriveLetter)" })
      } } else { $null }
    }
  })
  [pscustomobject]@{ ok=$true; pageFiles=$pageFiles; volumes=$volumes } | ConvertTo-Json -Depth 5 -Compress
} catch { [pscustomobject]@{ ok=$false; message="$($_.Exception.Message)" } | ConvertTo-Json -Compress }
`;

/** Windows PowerShell writes an array of one element as the element and an empty one as nothing. */
function list<T extends z.ZodMiniType>(item: T) {
  return z.pipe(
    z.transform((value: unknown) =>
      Array.isArray(value) ? value : value === null || value === undefined ? [] : [value],
    ),
    z.array(item),
  );
}

const number = z.nullish(z.number());

const Disk = z.object({
  number: z.number(),
  model: z.string(),
  serial: z.string(),
  bus: z.string(),
  sectorBytes: number,
  isSystem: z.boolean(),
  isBoot: z.boolean(),
  isReadOnly: z.boolean(),
  mediaType: z.string(),
  letters: list(z.string()),
});

const Volume = z.object({
  letter: z.string(),
  label: z.string(),
  fileSystem: z.string(),
  driveType: z.string(),
  sizeBytes: number,
  freeBytes: number,
  clusterBytes: number,
  uniqueId: z.string(),
  disk: z.nullish(Disk),
});

const Listing = z.object({ ok: z.literal(true), pageFiles: list(z.string()), volumes: list(Volume) });
const Failure = z.object({ ok: z.literal(false), message: z.string() });

export type WindowsVolume = z.infer<typeof Volume>;

export interface WindowsListing {
  volumes: readonly WindowsVolume[];
  /** Letters of the volumes that hold a page file. */
  pageFileLetters: ReadonlySet<string>;
}

/** The listing, or in words why there is none. */
export function parseWindowsListing(text: string): WindowsListing | string {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch {
    return "PowerShell did not print JSON";
  }
  const failure = Failure.safeParse(value);
  if (failure.success) return failure.data.message.split("\n", 1)[0] ?? "";
  const listing = Listing.safeParse(value);
  if (!listing.success) return "PowerShell printed something unexpected";
  const letters = listing.data.pageFiles.map((path) => path.slice(0, 1).toUpperCase());
  return { volumes: listing.data.volumes, pageFileLetters: new Set(letters) };
}
