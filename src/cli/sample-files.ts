/** What `init` writes. The headers are those of the 2018 generation, which carries every column. */

const DATASET_HEADER = "BasePath,DstItemPathOrPrefix,ItemType,Disposition,MetadataFile,PropertiesFile";
const DRIVESET_HEADER = "DriveLetter,FormatOption,SilentOrPromptOnFormat,Encryption,ExistingBitLockerKey";

export function sampleDataSet(platform: string): string {
  const rows =
    platform === "win32"
      ? [
          '"D:\\photos 2024\\","archive/photos/",BlockBlob,rename,None,None',
          "D:\\vm\\disk0.vhd,images/disk0.vhd,PageBlob,no-overwrite,None,None",
        ]
      : [
          '"/data/photos 2024/","archive/photos/",BlockBlob,rename,None,None',
          "/data/vm/disk0.vhd,images/disk0.vhd,PageBlob,no-overwrite,None,None",
        ];
  return lines(DATASET_HEADER, ...rows);
}

export function sampleDriveSet(platform: string): string {
  const [first, second] = platform === "win32" ? ["G", "H"] : ["/mnt/drive1", "/mnt/drive2"];
  return lines(
    DRIVESET_HEADER,
    `${first},AlreadyFormatted,SilentMode,Encrypt,`,
    `${second},Format,PromptOnFormat,Encrypt,`,
  );
}

export const SAMPLE_NOTES = `dataset.csv: what to copy. One row per directory or file.

  BasePath             Absolute path of a directory or a file; no wildcards. A directory ends in / or \\ and is
                       taken with everything below it. Quote it when it holds blanks or commas.
  DstItemPathOrPrefix  Where it goes: container/, container/prefix/ for a directory; container/blob for a file.
                       The root container is written as $root.
  ItemType             BlockBlob or PageBlob. The length of a page blob is a multiple of 512 (disk images).
  Disposition          When the blob exists already: rename (also when empty), no-overwrite, overwrite.
  MetadataFile         XML file with metadata for the blobs of the row, or None.
  PropertiesFile       XML file with properties for the blobs of the row, or None.

driveset.csv: the drives to prepare. One row per drive.

  DriveLetter             Windows: the letter. Elsewhere: the mount point or directory of the drive.
  FormatOption            Format erases the drive. AlreadyFormatted keeps what is on it.
  SilentOrPromptOnFormat  SilentMode formats without asking, PromptOnFormat asks.
  Encryption              Encrypt turns BitLocker on. AlreadyEncrypted needs the key; not together with Format.
  ExistingBitLockerKey    With AlreadyEncrypted: the numerical password, 8 groups of 6 digits. Else empty.
`;

function lines(...all: string[]): string {
  return all.map((line) => `${line}\n`).join("");
}
