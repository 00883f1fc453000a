/** Logs of the three generations, with own values in the documented forms. */

export const LOG_2014 = `<?xml version="1.0" encoding="utf-8"?>
<DriveLog Version="2014-11-01">
  <DriveId>9WM35C2V</DriveId>
  <Blob Status="CompletedWithErrors">
    <BlobPath>survey/2024/a.bin</BlobPath>
    <FilePath>\\session#1\\a.bin</FilePath>
    <Length>5000000</Length>
    <ImportDisposition Status="Created">rename</ImportDisposition>
    <BlockList>
      <Block Offset="0" Length="4194304" Id="MD5/SjGsNZTLJFwI4TTsBrMFfg==" Hash=" 4a31ac3594cb245c08e134ec06b3057e" Status="Committed" />
      <Block Offset="4194304" Length="805696" Id="MD5/6bZjMYSAn4jhlH+iYLOwnw==" Hash="E9B6633184809F88E1947FA260B3B09F" Status="Corrupted" />
    </BlockList>
    <Metadata Status="Completed">
      <GlobalPath Hash="AA00000000000000000000000000000A">\\session#1\\all.metadata</GlobalPath>
      <Path Hash="BB00000000000000000000000000000B">\\session#1\\a.metadata</Path>
    </Metadata>
    <Properties Status="XmlReadFailed"><Path>\\session#1\\a.properties</Path></Properties>
  </Blob>
  <Blob Status="FileNotFound">
    <BlobPath>survey/gone.txt</BlobPath><FilePath>\\session#1\\gone.txt</FilePath><Length>9</Length>
    <ImportDisposition Status="Cancelled">overwrite</ImportDisposition>
    <BlockList><Block Offset="0" Length="9" Status="Cancelled" /></BlockList>
  </Blob>
  <Status>CompletedWithErrors</Status>
</DriveLog>
`;

/** Without version and declaration, `LastModified` before `Length`, an empty list, properties without children. */
export const EXPORT_LOG_2014 = `<DriveLog>
  <DriveId>9WM35C3U</DriveId>
  <Blob Status="CompletedWithErrors">
    <BlobPath>pictures/wild/canyon.jpg</BlobPath>
    <FilePath>\\pictures\\wild\\canyon.jpg</FilePath>
    <LastModified>2012-09-18T23:47:08Z</LastModified>
    <Length>163840</Length>
    <Snapshot>2024-03-01T10:15:30.1234567Z</Snapshot>
    <BlockList />
    <Properties Status="Failed" />
  </Blob>
  <Blob Status="CompletedWithErrors">
    <BlobPath>vhds/disk.vhd</BlobPath><FilePath>\\vhds\\disk.vhd</FilePath><Length>8192</Length>
    <PageRangeList><PageRange Offset="4096" Length="512" Status="BlobUnexpectedEnd"/></PageRangeList>
  </Blob>
  <Status>CompletedWithErrors</Status>
</DriveLog>`;

export const LOG_2018 = `<?xml version="1.0" encoding="utf-8"?>
<DriveLog Version="2018-10-01">
  <DriveId>18041C582D7E</DriveId>
  <Summary>
    <ValidationErrors><None Count="3" /></ValidationErrors>
    <CopyErrors><Renamed Count="2" Description="Renamed the Storage Container" /><None Count="1" /></CopyErrors>
  </Summary>
  <Blob Status="Completed">
    <BlobPath>box/a.vhd</BlobPath><FilePath>\\PageBlob\\box\\a.vhd</FilePath><Length>1049088</Length>
    <ImportDisposition Status="Created">rename</ImportDisposition>
    <PageRangeList><PageRange Offset="0" Length="1048576" Status="Completed" /><PageRange Offset="1048576" Length="512" Status="Completed" /></PageRangeList>
  </Blob>
  <Blob Status="ContainerRenamed">
    <BlobPath>databox-0123/new.txt</BlobPath>
    <OriginalFilePath>\\BlockBlob\\Bad Name\\new.txt</OriginalFilePath>
    <SizeInBytes>7</SizeInBytes>
  </Blob>
  <File Status="CompletedWithErrors">
    <FileStoragePath>share/dir/b.bin</FileStoragePath><FilePath>\\AzureFile\\share\\dir\\b.bin</FilePath><Length>8388608</Length>
    <ImportDisposition Status="Created">rename</ImportDisposition>
    <FileRangeList><FileRange Offset="0" Length="4194304" Status="Completed" /><FileRange Offset="4194304" Length="4194304" Status="StorageRequestFailed" /></FileRangeList>
  </File>
  <Status>CompletedWithErrors</Status>
</DriveLog>
`;

export const LOG_2021 = `<ErroredEntity CloudFormat="BlockBlob" Path="c1/bad:name.txt">
  <Category>UploadErrorWin32</Category>
  <ErrorCode>123</ErrorCode>
  <ErrorMessage>The filename, directory name, or volume label syntax is incorrect</ErrorMessage>
  <Type>File</Type>
</ErroredEntity>
<ErroredEntity Path="New &amp; Folder">
  <Category>ContainerRenamed</Category>
  <ErrorCode>1</ErrorCode>
  <ErrorMessage>The original container name was renamed to: DataBox-3fcd02de</ErrorMessage>
  <Type>Container</Type>
</ErroredEntity>
<CopyLog Summary="Summary">
  <DriveLogVersion>2021-08-01</DriveLogVersion>
  <DriveId>72a2914a-7fb2-4e34-a135-5c7176c3ee41</DriveId>
  <Status>Failed</Status>
  <TotalFiles_Blobs>60</TotalFiles_Blobs>
  <FilesErrored>2</FilesErrored>
  <Summary>
    <ValidationErrors><None Count="58" /></ValidationErrors>
    <CopyErrors><UploadErrorWin32 Count="1" Description="File system error" /></CopyErrors>
  </Summary>
</CopyLog>
`;

export const VERBOSE_LOG_2021 = `<?xml version="1.0" encoding="UTF-8"?>
<File CloudFormat="BlockBlob" Path="c1\\a.bin" Size="1024" crc64="14179624636173788226">
</File>
<File CloudFormat="PageBlob" Path="c1\\b.vhd" Size="0" crc64="0" ETag="0x8D1">
</File>
`;
