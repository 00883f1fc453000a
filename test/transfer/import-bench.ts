/** A prepared drive in a directory, an account, and the import of one into the other. */
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { LogEntry } from "../../src/copy-log/copy-log-model.ts";
import { readCopyLog } from "../../src/copy-log/copy-log-reader.ts";
import type { BlobEntry, BlobListHead, ManifestHead, SideFile } from "../../src/manifest/manifest-model.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { nodeFileSystem } from "../../src/platform/file-system.ts";
import type {
  TransferImportEvent,
  TransferImportReport,
  TransferImportRequest,
  TransferPorts,
} from "../../src/transfer/import-contract.ts";
import { transferImport } from "../../src/transfer/import-drive.ts";
import { fileBlob, md5, writeManifest } from "../manifest/manifest-files.ts";
import { temporaryDirectory } from "../platform/temporary-directory.ts";
import type { TestStore } from "../support/azurite.ts";

export interface FileToSend {
  bytes: Uint8Array;
  /** Default: `c/<name>`. */
  blobPath?: string;
  blobType?: "block" | "page";
  disposition?: BlobEntry["disposition"];
  metadata?: string;
  properties?: string;
  segmentBytes?: number;
}

export interface ListToSend {
  metadata?: string;
  properties?: string;
  files: Readonly<Record<string, FileToSend>>;
}

export class ImportBench {
  readonly path = temporaryDirectory();
  readonly drive = join(this.path, "drive");
  readonly stateDirectory = join(this.path, "state");
  readonly store: TestStore;
  manifestHash = "";

  constructor(store: TestStore) {
    this.store = store;
    mkdirSync(this.drive);
  }

  /** Files below `\s\<list>\`, each with its side files beside it. */
  prepare(lists: readonly ListToSend[], head: Partial<ManifestHead> = {}): void {
    const written = lists.map((list, number) => {
      const listHead: BlobListHead = {
        id: `s-${number}`,
        ...this.#side("metadata", `\\s\\${number}.metadata.xml`, list.metadata),
        ...this.#side("properties", `\\s\\${number}.properties.xml`, list.properties),
      };
      const blobs = Object.entries(list.files).map(([name, file]) => this.#file(number, name, file));
      return { head: listHead, blobs };
    });
    const manifest = join(this.drive, "DriveManifest.xml");
    this.manifestHash = writeManifest(manifest, { driveId: "MOCK1", clientCreator: "test", ...head }, written).hash;
  }

  put(filePath: string, bytes: Uint8Array): void {
    const path = this.pathOf(filePath);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
  }

  pathOf(filePath: string): string {
    return join(this.drive, ...filePath.split("\\"));
  }

  async run(
    request: Partial<TransferImportRequest> = {},
    ports: Partial<TransferPorts> = {},
  ): Promise<{ report: TransferImportReport; events: TransferImportEvent[] }> {
    const events: TransferImportEvent[] = [];
    const report = await transferImport(
      {
        driveRoot: this.drive,
        expectedHash: this.manifestHash,
        jobName: "job1",
        logLevel: "verbose",
        backupDriveManifest: false,
        ...request,
      },
      {
        fs: nodeFileSystem,
        clock: systemClock,
        account: ports.account ?? (await this.store.open(request.signal)),
        stateDirectory: this.stateDirectory,
        lock: () => ({ release: () => {} }),
        ...ports,
      },
      (event) => events.push(event),
    );
    return { report, events };
  }

  /** The entries of a log that a run has written into the account. */
  async log(report: TransferImportReport, kind: "error" | "verbose"): Promise<LogEntry[]> {
    const path = join(this.path, `${kind}-log.xml`);
    writeFileSync(path, await this.download(report.logs.find((log) => log.kind === kind)?.uri ?? ""));
    const entries: LogEntry[] = [];
    readCopyLog(nodeFileSystem, path, (entry) => entries.push(entry));
    return entries;
  }

  async download(uri: string): Promise<Buffer> {
    const [container = "", ...name] = decodeURIComponent(uri.slice(this.store.url.length + 1)).split("/");
    return this.content(container, name.join("/"));
  }

  async content(container: string, name: string): Promise<Buffer> {
    const blob = this.store.client.getContainerClient(container).getBlobClient(name);
    const { contentLength } = await blob.getProperties();
    return contentLength === 0 ? Buffer.alloc(0) : blob.downloadToBuffer();
  }

  /** What unfinished transfers have left. */
  stateFiles(): string[] {
    return readdirSync(this.stateDirectory);
  }

  #file(list: number, name: string, file: FileToSend): BlobEntry {
    const filePath = `\\s\\${list}\\${name.replaceAll("/", "\\")}`;
    this.put(filePath, file.bytes);
    return fileBlob(
      {
        blobPath: file.blobPath ?? `c${list}c/${name}`,
        filePath,
        blobType: file.blobType ?? "block",
        ...(file.disposition === undefined ? {} : { disposition: file.disposition }),
        ...(file.segmentBytes === undefined ? {} : { segmentBytes: file.segmentBytes }),
        ...this.#side("metadata", `${filePath}.metadata`, file.metadata),
        ...this.#side("properties", `${filePath}.properties`, file.properties),
      },
      file.bytes,
    );
  }

  #side<K extends string>(name: K, path: string, content: string | undefined): { [P in K]?: SideFile } {
    if (content === undefined) return {};
    const bytes = Buffer.from(content);
    this.put(path, bytes);
    return { [name]: { path, hash: md5(bytes) } } as { [P in K]?: SideFile };
  }
}
