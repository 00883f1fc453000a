/** What the service, or the way to it, said, as a BlobRequestError. Codes: the service's lists of error codes. */
import { BlobRequestError, type BlobRequestErrorKind } from "./blob-account.ts";

const KIND_BY_CODE: ReadonlyMap<string, BlobRequestErrorKind> = new Map([
  ["BlobAlreadyExists", "exists"],
  ["UnauthorizedBlobOverwrite", "exists"],
  ["BlobNotFound", "missing"],
  ["ContainerNotFound", "missing"],
  ["ResourceNotFound", "missing"],
  ["LeaseIdMissing", "leased"],
  ["LeaseIdMismatchWithBlobOperation", "leased"],
  ["InvalidBlobType", "wrong-type"],
  ["AuthenticationFailed", "credential"],
  ["AuthorizationFailure", "credential"],
  ["InvalidAuthenticationInfo", "credential"],
  ["NoAuthenticationInformation", "credential"],
  ["AccountIsDisabled", "credential"],
  ["KeyBasedAuthenticationNotPermitted", "credential"],
  ["AuthorizationPermissionMismatch", "forbidden"],
  ["AuthorizationResourceTypeMismatch", "forbidden"],
  ["AuthorizationServiceMismatch", "forbidden"],
  ["AuthorizationProtocolMismatch", "forbidden"],
  ["InsufficientAccountPermissions", "forbidden"],
  ["InvalidMetadata", "invalid-value"],
  ["EmptyMetadataKey", "invalid-value"],
  ["MetadataTooLarge", "invalid-value"],
  ["InvalidMd5", "invalid-value"],
  ["InvalidHeaderValue", "invalid-value"],
  ["ServerBusy", "unavailable"],
  ["OperationTimedOut", "unavailable"],
]);

interface RestErrorLike {
  name?: unknown;
  code?: unknown;
  statusCode?: unknown;
  message?: unknown;
  details?: { errorCode?: unknown };
}

export function toBlobRequestError(error: unknown): BlobRequestError {
  if (error instanceof BlobRequestError) return error;
  const { name, code, statusCode, message, details } = (error ?? {}) as RestErrorLike;
  if (name === "AbortError") return new BlobRequestError("canceled", "the request was cancelled", { cause: error });
  const status = typeof statusCode === "number" ? statusCode : undefined;
  const found = typeof details?.errorCode === "string" ? details.errorCode : code;
  const serviceCode = typeof found === "string" ? found : undefined;
  if (status === undefined) {
    // A fault of this program would otherwise be told as the network's.
    if (error instanceof TypeError || error instanceof RangeError) throw error;
    const why = serviceCode ?? (typeof message === "string" ? firstLine(message) : "no answer");
    return new BlobRequestError("unavailable", `no answer from the service (${why})`, { serviceCode, cause: error });
  }
  const words = serviceCode ?? `HTTP ${status}`;
  const text = typeof message === "string" && message !== "" ? `: ${firstLine(message)}` : "";
  return new BlobRequestError(kindOf(status, serviceCode), `the service answered ${words}${text}`, {
    status,
    serviceCode,
    cause: error,
  });
}

function kindOf(status: number, serviceCode: string | undefined): BlobRequestErrorKind {
  const byCode = serviceCode === undefined ? undefined : KIND_BY_CODE.get(serviceCode);
  if (byCode !== undefined) return byCode;
  // 412 without a lease: our own condition, which is "if absent" where we write and "unchanged" where we read.
  if (status === 412) return "changed";
  if (status === 404) return "missing";
  if (status === 401) return "credential";
  if (status === 403) return "forbidden";
  if (status === 408 || status === 429 || status === 503 || status === 502 || status === 504) return "unavailable";
  return "refused";
}

function firstLine(message: string): string {
  const line = (message.split("\n", 1)[0] ?? "").trim().replace(/\.$/, "");
  return line.length > 300 ? `${line.slice(0, 300)}...` : line;
}
