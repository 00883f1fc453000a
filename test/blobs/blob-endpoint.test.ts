import { describe, expect, it } from "vitest";
import { type EndpointInput, parseBlobEndpoint } from "../../src/blobs/blob-endpoint.ts";

const KEY = Buffer.alloc(64, 7).toString("base64");
const ACCOUNT_SAS = "sv=2024-11-04&ss=b&srt=sco&sp=rwdlac&se=2099-01-01&sig=c2ln";
const CONTAINER_SAS = "sv=2024-11-04&sr=c&sp=rwdl&se=2099-01-01&sig=c2ln";

describe("an endpoint", () => {
  it.each<[string, EndpointInput, object]>([
    [
      "account and key of public Azure",
      { account: "contosodata", key: KEY },
      {
        url: "https://contosodata.blob.core.windows.net",
        account: "contosodata",
        credential: { kind: "key", key: KEY },
      },
    ],
    [
      "Azure Stack",
      { url: "https://box.blob.local.azurestack.external/", key: KEY },
      { url: "https://box.blob.local.azurestack.external", account: "box", credential: { kind: "key", key: KEY } },
    ],
    [
      "Azurite by its path",
      { url: "http://127.0.0.1:10000/acct1", key: KEY },
      { url: "http://127.0.0.1:10000/acct1", account: "acct1", credential: { kind: "key", key: KEY } },
    ],
    [
      "Azurite by its host",
      { url: "http://acct1.blob.localhost:10000", key: KEY },
      { url: "http://acct1.blob.localhost:10000", account: "acct1", credential: { kind: "key", key: KEY } },
    ],
    [
      "an account SAS",
      { account: "contosodata", sas: `?${ACCOUNT_SAS}` },
      {
        url: "https://contosodata.blob.core.windows.net",
        account: "contosodata",
        credential: { kind: "sas", sas: ACCOUNT_SAS },
      },
    ],
    [
      "a container SAS as the original writes it",
      { account: "contosodata", sas: `box?${CONTAINER_SAS}` },
      {
        url: "https://contosodata.blob.core.windows.net",
        account: "contosodata",
        credential: { kind: "sas", sas: CONTAINER_SAS },
        onlyContainer: "box",
      },
    ],
    [
      "a container SAS in a URL",
      { url: `https://contosodata.blob.core.windows.net/box?${CONTAINER_SAS}` },
      {
        url: "https://contosodata.blob.core.windows.net",
        account: "contosodata",
        credential: { kind: "sas", sas: CONTAINER_SAS },
        onlyContainer: "box",
      },
    ],
    [
      "a SAS that is a whole URL",
      { sas: `https://contosodata.blob.core.windows.net/box?${CONTAINER_SAS}` },
      {
        url: "https://contosodata.blob.core.windows.net",
        account: "contosodata",
        credential: { kind: "sas", sas: CONTAINER_SAS },
        onlyContainer: "box",
      },
    ],
    [
      "a token",
      { account: "contosodata", token: "abc" },
      {
        url: "https://contosodata.blob.core.windows.net",
        account: "contosodata",
        credential: { kind: "token", token: "abc" },
      },
    ],
    [
      "a connection string",
      {
        connectionString: `DefaultEndpointsProtocol=https;AccountName=contosodata;AccountKey=${KEY};EndpointSuffix=core.chinacloudapi.cn`,
      },
      {
        url: "https://contosodata.blob.core.chinacloudapi.cn",
        account: "contosodata",
        credential: { kind: "key", key: KEY },
      },
    ],
    [
      "a connection string with a SAS",
      {
        connectionString: `BlobEndpoint=https://contosodata.blob.core.windows.net/;SharedAccessSignature=${ACCOUNT_SAS}`,
      },
      {
        url: "https://contosodata.blob.core.windows.net",
        account: "contosodata",
        credential: { kind: "sas", sas: ACCOUNT_SAS },
      },
    ],
    [
      "the emulator's own account",
      { connectionString: "UseDevelopmentStorage=true" },
      { url: "http://127.0.0.1:10000/devstoreaccount1", account: "devstoreaccount1", credential: { kind: "key" } },
    ],
  ])("%s", (_, input, endpoint) => {
    expect(parseBlobEndpoint(input)).toMatchObject(endpoint);
    expect("onlyContainer" in parseBlobEndpoint(input)).toBe("onlyContainer" in endpoint);
  });

  it.each<[string, EndpointInput, string]>([
    ["nothing", {}, "no address"],
    ["no credential", { account: "contosodata" }, "no credential"],
    ["two credentials", { account: "contosodata", key: KEY, token: "x" }, "a key and a token"],
    ["a key that is none", { account: "contosodata", key: "not base64!" }, "not Base64"],
    ["a SAS without its signature", { account: "contosodata", sas: "sv=1&ss=b" }, "no signature"],
    ["a SAS of a blob", { account: "contosodata", sas: "box?sv=1&sr=b&sig=x" }, "for one blob"],
    ["a container SAS without its container", { account: "contosodata", sas: CONTAINER_SAS }, "<container>?<SAS>"],
    ["http to another machine", { url: "http://contosodata.blob.core.windows.net", key: KEY }, "plain http"],
    ["another scheme", { url: "ftp://127.0.0.1/acct", key: KEY }, "neither https nor http"],
    ["a user name in the URL", { url: "https://user:pass@acct.blob.core.windows.net", key: KEY }, "user name"],
    ["no URL", { url: "not a url", key: KEY }, "no URL"],
    ["an emulator without account", { url: "http://127.0.0.1:10000", key: KEY }, "names no account"],
    ["a container with a key", { url: "https://acct.blob.core.windows.net/box", key: KEY }, "URL of the account"],
    ["a blob", { url: `https://acct.blob.core.windows.net/box/a?${CONTAINER_SAS}` }, "below a container"],
    ["an account name that is none", { account: "Contoso Data", key: KEY }, "no account name"],
    [
      "a connection string and more",
      { connectionString: `AccountName=a;AccountKey=${KEY}`, key: KEY },
      "another address",
    ],
    ["a connection string without account", { connectionString: `AccountKey=${KEY}` }, "neither BlobEndpoint"],
  ])("refuses %s", (_, input, message) => {
    expect(() => parseBlobEndpoint(input)).toThrow(message);
    expect(() => parseBlobEndpoint(input)).toThrow(expect.objectContaining({ code: "ENDPOINT_INVALID", exitCode: 2 }));
  });

  it("never repeats a secret in a message", () => {
    for (const input of [
      { account: "contosodata", key: "c2VjcmV0!" },
      { url: "http://far.example.com/?sig=c2VjcmV0", key: KEY },
      { connectionString: "AccountKey=c2VjcmV0" },
    ]) {
      try {
        parseBlobEndpoint(input);
        expect.unreachable();
      } catch (error) {
        expect(String((error as Error).message)).not.toContain("c2VjcmV0");
      }
    }
  });
});
