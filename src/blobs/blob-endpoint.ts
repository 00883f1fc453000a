/**
 * Where an account is and how to get in: a connection string, or a URL (or account name) with an account key, a SAS of an
 * account or a container, or a token. Azure, Azure Stack and Azurite differ only in how the URL names the account. Plain
 * http is taken on loopback alone.
 */
import { UsageError } from "../platform/app-error.ts";

export type BlobCredential =
  | { kind: "key"; key: string }
  /** Without a leading question mark. */
  | { kind: "sas"; sas: string }
  | { kind: "token"; token: string };

export interface BlobEndpoint {
  /** Of the account, without slash at its end, query or credential. */
  url: string;
  account: string;
  credential: BlobCredential;
  /** A container SAS opens only this one. */
  onlyContainer?: string;
}

/** What the user gave; everything is a secret but `url` and `account`. */
export interface EndpointInput {
  connectionString?: string;
  /** Of the account, or of a container with its SAS. */
  url?: string;
  account?: string;
  key?: string;
  /** `sv=...`, `?sv=...`, `container?sv=...` or a whole URL. */
  sas?: string;
  token?: string;
}

const PUBLIC_SUFFIX = "core.windows.net";
/** The account of the storage emulators and its key, which are public. */
const DEVELOPMENT_ACCOUNT = "devstoreaccount1";
const DEVELOPMENT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
const DEVELOPMENT_URL = `http://127.0.0.1:10000/${DEVELOPMENT_ACCOUNT}`;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** Throws ENDPOINT_INVALID; no message holds a secret. */
export function parseBlobEndpoint(input: EndpointInput): BlobEndpoint {
  const given = input.connectionString === undefined ? input : fromConnectionString(input);
  const sasParts = given.sas === undefined ? undefined : splitSas(given.sas);
  const address = given.url ?? sasParts?.url ?? accountUrl(given.account);
  const url = parseUrl(address);
  const ownSas = url.search === "" ? undefined : url.search.slice(1);
  const sas = sasParts?.sas ?? ownSas;
  const names = splitPath(url, given.account);
  const credential = chooseCredential(given, sas);
  const container = names.container ?? sasParts?.container;
  if (container !== undefined && credential.kind !== "sas") {
    throw invalid("the URL names a container; give the URL of the account");
  }
  return {
    url: names.url,
    account: names.account,
    credential,
    ...onlyContainer(credential, container),
  };
}

function chooseCredential(given: EndpointInput, sas: string | undefined): BlobCredential {
  const found: BlobCredential[] = [];
  if (given.key !== undefined) found.push({ kind: "key", key: checkKey(given.key) });
  if (sas !== undefined) found.push({ kind: "sas", sas: checkSas(sas) });
  if (given.token !== undefined) found.push({ kind: "token", token: given.token });
  const [first, second] = found;
  if (first === undefined) throw invalid("there is no credential for the account");
  if (second !== undefined) throw invalid(`a ${WORDS[first.kind]} and a ${WORDS[second.kind]} were given`);
  return first;
}

const WORDS = { key: "key", sas: "SAS", token: "token" } as const;

function onlyContainer(credential: BlobCredential, container: string | undefined): { onlyContainer?: string } {
  if (credential.kind !== "sas") return {};
  const parameters = new URLSearchParams(credential.sas);
  // Account SAS name services (ss); a service SAS names its resource (sr): c = container.
  if (parameters.has("ss")) return {};
  if (parameters.get("sr") !== "c") throw invalid("the SAS is for one blob; give one of the account or of a container");
  if (container === undefined) throw invalid("the SAS is for a container; write it as <container>?<SAS>");
  return { onlyContainer: container };
}

function fromConnectionString(input: EndpointInput): EndpointInput {
  if (input.url !== undefined || input.key !== undefined || input.sas !== undefined || input.token !== undefined) {
    throw invalid("a connection string and another address or credential were given");
  }
  const values = new Map<string, string>();
  for (const part of (input.connectionString ?? "").split(";")) {
    const at = part.indexOf("=");
    if (at > 0) values.set(part.slice(0, at).trim().toLowerCase(), part.slice(at + 1).trim());
  }
  if (values.get("usedevelopmentstorage")?.toLowerCase() === "true") {
    return { url: DEVELOPMENT_URL, account: DEVELOPMENT_ACCOUNT, key: DEVELOPMENT_KEY };
  }
  const account = values.get("accountname") ?? input.account;
  const scheme = values.get("defaultendpointsprotocol") ?? "https";
  const suffix = values.get("endpointsuffix") ?? PUBLIC_SUFFIX;
  const url =
    values.get("blobendpoint") ?? (account === undefined ? undefined : `${scheme}://${account}.blob.${suffix}`);
  const key = values.get("accountkey");
  const sas = values.get("sharedaccesssignature");
  if (url === undefined) throw invalid("the connection string has neither BlobEndpoint nor AccountName");
  return {
    url,
    ...(account === undefined ? {} : { account }),
    ...(key === undefined ? {} : { key }),
    ...(sas === undefined ? {} : { sas }),
  };
}

function accountUrl(account: string | undefined): string {
  if (account === undefined) throw invalid("there is no address of an account");
  if (!/^[a-z0-9]{3,24}$/.test(account)) throw invalid(`"${account}" is no account name`);
  return `https://${account}.blob.${PUBLIC_SUFFIX}`;
}

/** `container?sas`, `?sas`, `sas` or a URL with a SAS. */
function splitSas(text: string): { sas: string; container?: string; url?: string } {
  const at = text.indexOf("?");
  if (at <= 0) return { sas: text.slice(at + 1) };
  const before = text.slice(0, at);
  const sas = text.slice(at + 1);
  return /^https?:/i.test(before) ? { sas, url: before } : { sas, container: before.replace(/^\/|\/$/g, "") };
}

function parseUrl(text: string): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw invalid("the address of the account is no URL");
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") throw invalid("the address is neither https nor http");
  if (url.protocol === "http:" && !isLoopback(url.hostname)) {
    throw invalid(`plain http is allowed on this machine only, not to "${url.hostname}"`);
  }
  if (url.username !== "" || url.password !== "") throw invalid("the address holds a user name or password");
  return url;
}

/** Emulators name the account in the path, the service in the host. */
function splitPath(url: URL, account: string | undefined): { url: string; account: string; container?: string } {
  const parts = url.pathname.split("/").filter((part) => part !== "");
  const isPathStyle = isAddress(url.hostname);
  const accountPart = isPathStyle ? parts.shift() : url.hostname.split(".")[0];
  const name = account ?? accountPart;
  if (name === undefined || name === "" || accountPart === undefined) {
    throw invalid("the address names no account; write it as http://127.0.0.1:10000/<account>");
  }
  if (parts.length > 1) throw invalid("the address leads below a container");
  const container = parts[0];
  return {
    url: `${url.protocol}//${url.host}${isPathStyle ? `/${accountPart}` : ""}`,
    account: name,
    ...(container === undefined ? {} : { container: decodeURIComponent(container) }),
  };
}

function isLoopback(host: string): boolean {
  return /^127\.\d+\.\d+\.\d+$/.test(host) || host === "[::1]" || host === "localhost" || host.endsWith(".localhost");
}

function isAddress(host: string): boolean {
  return /^\d+\.\d+\.\d+\.\d+$/.test(host) || host.startsWith("[") || host === "localhost" || !host.includes(".");
}

function checkKey(key: string): string {
  if (key.length % 4 !== 0 || !BASE64.test(key)) throw invalid("the account key is not Base64");
  return key;
}

function checkSas(sas: string): string {
  if (!new URLSearchParams(sas).has("sig")) throw invalid("the SAS has no signature (sig=)");
  return sas;
}

function invalid(reason: string): UsageError {
  return new UsageError("ENDPOINT_INVALID", `the blob endpoint cannot be used: ${reason}`);
}
