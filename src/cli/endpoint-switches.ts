/** Which account, and the credential for it: the switches of every verb that talks to a blob endpoint. */
import type { SwitchSpec } from "./switch-table.ts";

export const ENDPOINT_SWITCHES: readonly SwitchSpec[] = [
  {
    name: "endpoint",
    kind: "value",
    value: "url",
    group: "Account",
    description: "URL of the account, or of a container with its SAS; http on this machine only",
  },
  {
    name: "sn",
    slash: "sn",
    kind: "value",
    value: "account",
    group: "Account",
    description: "name of the account, in public Azure unless --endpoint says where",
  },
  {
    name: "connection-string-file",
    kind: "value",
    value: "file",
    group: "Account",
    description: "connection string, '-' for stdin (or set WAIMPORTEXPORT_CONNECTION_STRING)",
  },
  {
    name: "sk-file",
    kind: "value",
    value: "file",
    group: "Secrets",
    description: "account key, '-' for stdin (or set WAIMPORTEXPORT_SK)",
  },
  {
    name: "sas-file",
    kind: "value",
    value: "file",
    group: "Secrets",
    description: "SAS of the account, or <container>?<SAS>, '-' for stdin (or set WAIMPORTEXPORT_SAS)",
  },
  {
    name: "token-file",
    kind: "value",
    value: "file",
    group: "Secrets",
    description: "token for storage, '-' for stdin (or set WAIMPORTEXPORT_TOKEN)",
  },
  {
    name: "sk",
    slash: "sk",
    kind: "value",
    value: "key",
    group: "Secrets",
    secret: true,
    description: "account key; visible to others on this machine, prefer --sk-file",
  },
  {
    name: "csas",
    slash: "csas",
    kind: "value",
    value: "sas",
    group: "Secrets",
    secret: true,
    description: "container SAS; visible to others on this machine, prefer --sas-file",
  },
];
