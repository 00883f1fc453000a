/**
 * The first version's PrepImport: one directory or file onto one drive per call. It is recognised and answered with the
 * second version's files and line that do the same.
 */
import { UsageError } from "../platform/app-error.ts";
import { V1_SWITCHES } from "./prep-switches.ts";
import { displayName } from "./switch-table.ts";
import type { Switches } from "./switches.ts";

export function refuseV1(switches: Switches): void {
  const given = switches.givenOf(V1_SWITCHES);
  if (given.length === 0) return;
  const names = given.map(displayName).join(", ");
  throw new UsageError("USAGE_FORM_UNAVAILABLE", `V1 form: not available in this release yet (${names})`, {
    hint: `V2 equivalent: ${v2Equivalent(switches)}`,
  });
}

function v2Equivalent(switches: Switches): string {
  const row = [
    quote(
      switches.value("srcdir") === undefined
        ? (switches.value("srcfile") ?? "<source>")
        : directory(switches.value("srcdir")),
    ),
    quote(switches.value("dstdir") ?? switches.value("dstblob") ?? "<container>/<prefix>/"),
    switches.value("blob-type") ?? "BlockBlob",
    switches.value("disposition") ?? "rename",
    quote(switches.value("metadata-file") ?? "None"),
    quote(switches.value("property-file") ?? "None"),
  ].join(",");
  const drive = [
    switches.value("t") ?? "<drive>",
    switches.flag("format") ? "Format" : "AlreadyFormatted",
    switches.flag("silent-mode") ? "SilentMode" : "PromptOnFormat",
    switches.flag("encrypt") ? "Encrypt" : "AlreadyEncrypted",
    // The key itself is a secret and is not repeated.
    switches.has("bk") ? "<BitLocker key>" : "",
  ].join(",");
  const journal = switches.value("journal") ?? "<journal>";
  const id = switches.value("id") ?? "<session>";
  const driveSet = switches.has("t") ? " /InitialDriveSet:driveset.csv" : "";
  return [
    `dataset.csv with the row ${row}`,
    ...(switches.has("t") ? [`driveset.csv with the row ${drive}`] : []),
    `then PrepImport /j:${journal} /id:${id}${driveSet} /DataSet:dataset.csv ('waimportexport init' writes both files with their headers)`,
  ].join("; ");
}

/** In a dataset a directory ends in a separator. */
function directory(path = ""): string {
  if (/[\\/]$/.test(path)) return path;
  return path.includes("\\") ? `${path}\\` : `${path}/`;
}

function quote(text: string): string {
  return /[\s,]/.test(text) ? `"${text}"` : text;
}
