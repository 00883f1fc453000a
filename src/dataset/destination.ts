/**
 * Where the blobs of a row go: `container/`, `container/prefix/`, or for one file `container/name`. The first part is
 * the container; `$root/` is the root container, whose blobs cannot lie in folders.
 */
import { checkBlobName, checkContainerName, ROOT_CONTAINER } from "../blobs/name-rules.ts";

export type DestinationResult =
  /** `destination` as in the manifest's blob paths: container first, no leading slash. */
  | { ok: true; destination: string; container: string; warning?: string }
  /** `secret`: the value must not be shown. */
  | { ok: false; message: string; expected?: string; secret?: boolean };

/** Rules that hold for directories and files alike; what depends on the kind is in `finishDestination`. */
export function parseDestination(text: string): DestinationResult {
  if (text.trim() === "") return wrong("the destination is missing", "container/ or container/prefix/");
  const url = /^[a-z][a-z0-9+.-]*:\/\/([^/]*)(.*)$/is.exec(text);
  if (url !== null) return parseUrl(url[1] ?? "", url[2] ?? "");
  if (text.startsWith("/")) return wrong("the destination begins with a slash", `"${text.replace(/^\/+/, "")}"`);
  if (text.includes("\\")) return wrong("the destination holds a backslash", `"${text.replaceAll("\\", "/")}"`);
  const slash = text.indexOf("/");
  const container = slash < 0 ? text : text.slice(0, slash);
  const containerProblem = checkContainerName(container);
  if (containerProblem !== undefined) {
    return wrong(`"${container}" is no container name: ${containerProblem.reason}`, lowerCaseHint(container, text));
  }
  const name = slash < 0 ? "" : text.slice(slash + 1);
  const problem = name === "" ? undefined : checkBlobName(name.replace(/\/$/, ""), container);
  if (problem !== undefined) {
    return wrong(problem.reason, container === ROOT_CONTAINER ? "$root/, or $root/name for one file" : undefined);
  }
  return { ok: true, destination: text, container };
}

/** `https://<account>.blob.core.windows.net/video/` means `video/`: the drive's job names the account. */
function parseUrl(host: string, path: string): DestinationResult {
  if (host.includes("@") || /[?#]/.test(host + path)) {
    return {
      ok: false,
      message: "the destination is a URL with credentials or a query",
      expected: "container/prefix/ without the account and without a signature",
      secret: true,
    };
  }
  if (/\.file\./i.test(host)) return wrong("the destination is a URL of Azure Files", "container/prefix/");
  if (!/^[a-z0-9-]+\.blob\./i.test(host)) return wrong("the destination is not a blob URL", "container/prefix/");
  const decoded = decode(path.replace(/^\//, ""));
  if (decoded === undefined) return wrong("the URL is not percent-encoded UTF-8", "container/prefix/");
  const result = parseDestination(decoded);
  if (!result.ok) return result;
  return { ...result, warning: `the account in the URL is ignored; blobs go to "${decoded}" of the job's account` };
}

/** Adds the slash that a directory's destination may lack; a file's destination must be a whole blob name. */
export function finishDestination(
  destination: string,
  kind: "directory" | "file",
  fileName: string,
): DestinationResult {
  const slash = destination.indexOf("/");
  const container = slash < 0 ? destination : destination.slice(0, slash);
  if (kind === "file") {
    if (slash >= 0 && !destination.endsWith("/")) return { ok: true, destination, container };
    const full = `${destination.replace(/\/$/, "")}/${fileName}`;
    return wrong("the destination of a single file is its whole blob name", `"${full}"`);
  }
  if (container === ROOT_CONTAINER && slash >= 0 && slash < destination.length - 1) {
    return wrong("blobs of the root container cannot lie in a folder", "$root/");
  }
  return { ok: true, destination: destination.endsWith("/") ? destination : `${destination}/`, container };
}

function lowerCaseHint(container: string, text: string): string {
  const lower = container.toLowerCase();
  if (lower !== container && checkContainerName(lower) === undefined)
    return `"${lower}${text.slice(container.length)}"`;
  return "3 to 63 lower-case letters, digits and single '-'";
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function wrong(message: string, expected?: string): DestinationResult {
  return expected === undefined ? { ok: false, message } : { ok: false, message, expected };
}
