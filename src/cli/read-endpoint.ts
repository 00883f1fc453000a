/** The account that the endpoint switches name, with its credential; loaded only by verbs that talk to one. */
import { readFileSync } from "node:fs";
import { type BlobEndpoint, type EndpointInput, parseBlobEndpoint } from "../blobs/blob-endpoint.ts";
import { describeErrno, UsageError } from "../platform/app-error.ts";
import { readAccountKey } from "./account-key.ts";
import type { CommandContext } from "./command-context.ts";
import type { Switches } from "./switches.ts";

/** Registers every secret with the redactor before anything else happens with it. */
export function readEndpoint(
  switches: Switches,
  context: CommandContext,
  resolvePath: (path: string) => string,
): BlobEndpoint {
  const read = (name: string, variable: string, what: string): string | undefined =>
    readSecretFile(switches, context, resolvePath, name, variable, what);
  const connectionString = read("connection-string-file", "CONNECTION_STRING", "a connection string");
  // One credential that was asked for leaves those of the environment out.
  const key = isAsked(switches, ["sas-file", "csas", "token-file", "connection-string-file"])
    ? undefined
    : readAccountKey(switches, context, resolvePath);
  const sas = isAsked(switches, ["sk", "sk-file", "token-file", "connection-string-file"])
    ? undefined
    : (readPlainSas(switches, context) ?? read("sas-file", "SAS", "a SAS"));
  const token = isAsked(switches, ["sk", "sk-file", "sas-file", "csas", "connection-string-file"])
    ? undefined
    : read("token-file", "TOKEN", "a token");
  for (const secret of [connectionString, key, sas, token]) if (secret !== undefined) context.redactor.add(secret);
  const endpoint = parseBlobEndpoint({
    ...given("connectionString", connectionString),
    ...given("url", readUrl(switches, context)),
    ...given("account", switches.value("sn")),
    ...given("key", key),
    ...given("sas", sas),
    ...given("token", token),
  });
  const { credential } = endpoint;
  context.redactor.add(credential.kind === "key" ? credential.key : credential.kind === "sas" ? credential.sas : "");
  return endpoint;
}

function isAsked(switches: Switches, names: readonly string[]): boolean {
  return names.some((name) => switches.has(name));
}

function readUrl(switches: Switches, context: CommandContext): string | undefined {
  const url = switches.value("endpoint");
  if (url?.includes("sig=") === true) warnOfPlainSecret(context, "the SAS in --endpoint", "--sas-file");
  return url;
}

function readPlainSas(switches: Switches, context: CommandContext): string | undefined {
  const plain = switches.value("csas");
  if (plain === undefined) return undefined;
  if (switches.has("sas-file")) throw new UsageError("USAGE_CONFLICT", "/csas and --sas-file exclude each other");
  warnOfPlainSecret(context, "the SAS on the command line", "--sas-file");
  return plain;
}

function warnOfPlainSecret(context: CommandContext, what: string, instead: string): void {
  const message = `${what} is visible to others on this machine; use ${instead} or WAIMPORTEXPORT_SAS`;
  context.output.event({ type: "warning", message });
}

function readSecretFile(
  switches: Switches,
  context: CommandContext,
  resolvePath: (path: string) => string,
  name: string,
  variable: string,
  what: string,
): string | undefined {
  const file = switches.value(name);
  if (file === undefined) {
    const value = context.environment[`WAIMPORTEXPORT_${variable}`]?.trim();
    return value === "" ? undefined : value;
  }
  const shown = file === "-" ? "standard input" : `"${file}"`;
  let text: string;
  try {
    text = readFileSync(file === "-" ? 0 : resolvePath(file), "utf8")
      .replace(/^\ufeff/, "")
      .trim();
  } catch (error) {
    throw new UsageError("USAGE_BAD_VALUE", `cannot read ${what} from ${shown}: ${describeErrno(error)}`, {
      hint: `check the file given with --${name}`,
      cause: error,
    });
  }
  if (text !== "" && !/[\r\n]/.test(text)) return text;
  throw new UsageError("USAGE_BAD_VALUE", `${shown} does not hold ${what}`, {
    hint: "put it, and nothing else, into it",
  });
}

function given<K extends keyof EndpointInput>(name: K, value: string | undefined): EndpointInput {
  return value === undefined ? {} : { [name]: value };
}
