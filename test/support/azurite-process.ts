/** A blob store in a process and on a disk of its own, for amounts that would fill the memory of a test. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createRequire } from "node:module";

export interface StoreProcess {
  connectionString: string;
  stop(): Promise<void>;
}

export async function startStoreProcess(directory: string): Promise<StoreProcess> {
  const account = `long${randomBytes(4).toString("hex")}`;
  const key = randomBytes(64).toString("base64");
  const main = createRequire(import.meta.url).resolve("azurite/dist/src/blob/main.js");
  const flags = ["--blobPort", "0", "--location", directory, "--skipApiVersionCheck", "--disableTelemetry"];
  const child = spawn(process.execPath, [main, ...flags], {
    env: { ...process.env, AZURITE_ACCOUNTS: `${account}:${key}` },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const port = await new Promise<string>((resolve, reject) => {
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (piece: string) => {
      // Every request is a line; only the first ones are of interest.
      if (text.length < 10_000) text += piece;
      const found = /successfully listens? on http:\/\/127\.0\.0\.1:(\d+)/i.exec(text)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.once("exit", () => reject(new Error(`the blob store did not start: ${text}`)));
  });
  const url = `http://127.0.0.1:${port}/${account}`;
  return {
    connectionString: `DefaultEndpointsProtocol=http;AccountName=${account};AccountKey=${key};BlobEndpoint=${url};`,
    stop: () =>
      new Promise((resolve) => {
        child.once("exit", () => resolve());
        child.kill("SIGTERM");
      }),
  };
}
