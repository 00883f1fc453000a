/** The containers of an import: made when they are missing, each asked for once. */
import { type BlobAccount, BlobRequestError, isBlobRequestError } from "../blobs/blob-account.ts";

/** `new`: made by this run, so that nothing was in it. `unknown`: the credential may not make containers. */
export type ContainerState = "new" | "exists" | "unknown";

const MAX_KNOWN = 10_000;

export class Containers {
  readonly #account: BlobAccount;
  readonly #known = new Map<string, Promise<ContainerState>>();

  constructor(account: BlobAccount) {
    this.#account = account;
  }

  /** Rejects with the service's reason when the container cannot be made. */
  ensure(name: string): Promise<ContainerState> {
    let state = this.#known.get(name);
    if (state === undefined) {
      state = this.#create(name);
      if (this.#known.size >= MAX_KNOWN) this.#known.clear();
      this.#known.set(name, state);
    }
    return state;
  }

  async #create(name: string): Promise<ContainerState> {
    const { onlyContainer } = this.#account;
    if (onlyContainer !== undefined) {
      if (onlyContainer === name) return "exists";
      throw new BlobRequestError("forbidden", `the SAS opens the container "${onlyContainer}" alone`);
    }
    try {
      return (await this.#account.createContainer(name)) === "created" ? "new" : "exists";
    } catch (error) {
      if (isBlobRequestError(error, "forbidden")) return "unknown";
      throw error;
    }
  }
}
