/** The machine's file system with calls that fail, fall short, or are preceded by somebody else's doing. */
import { type FileSystem, nodeFileSystem } from "../../src/platform/file-system.ts";

type Call = keyof FileSystem;

interface Fault {
  call: Call;
  /** Part of the path the call, or the open of its handle, was made with. */
  path: string;
  skip: number;
  times: number;
  act: (invoke: (...args: never[]) => unknown, args: unknown[]) => unknown;
}

export class FaultyFileSystem {
  /** `position` of reads and writes only. */
  readonly calls: { call: Call; path: string; position: unknown }[] = [];
  readonly openHandles = new Map<number, string>();
  readonly #faults: Fault[] = [];
  readonly fileSystem: FileSystem;

  constructor() {
    this.fileSystem = new Proxy(nodeFileSystem, {
      get:
        (target, call: Call) =>
        (...args: unknown[]) =>
          this.#invoke(target, call, args),
    });
  }

  /** Makes `call`s on paths with `path` in them fail with `errno`, after `skip` good ones, `times` times. */
  fail(call: Call, path: string, errno: string, skip = 0, times = Number.POSITIVE_INFINITY): void {
    const act = () => {
      throw Object.assign(new Error(`${errno}: injected`), { code: errno });
    };
    this.#faults.push({ call, path, skip, times, act });
  }

  /** Lets reads or writes of `path` move at most `most` bytes. */
  shorten(call: "read" | "write", path: string, most: number): void {
    const act: Fault["act"] = (invoke, [fd, buffer, offset, length, position]) =>
      (invoke as (...args: unknown[]) => unknown)(fd, buffer, offset, Math.min(length as number, most), position);
    this.#faults.push({ call, path, skip: 0, times: Number.POSITIVE_INFINITY, act });
  }

  /** Runs `action` before a call. */
  before(call: Call, path: string, action: () => void, skip = 0, times = 1): void {
    const act: Fault["act"] = (invoke, args) => {
      action();
      return (invoke as (...args: unknown[]) => unknown)(...args);
    };
    this.#faults.push({ call, path, skip, times, act });
  }

  count(call: Call, path = ""): number {
    return this.calls.filter((made) => made.call === call && made.path.includes(path)).length;
  }

  #invoke(target: FileSystem, call: Call, args: unknown[]): unknown {
    const path = typeof args[0] === "number" ? (this.openHandles.get(args[0]) ?? "") : String(args[0]);
    this.calls.push({ call, path, position: args[4] });
    const invoke = (...given: unknown[]) => (target[call] as (...a: unknown[]) => unknown)(...given);
    // A failed close gives the handle back all the same.
    if (call === "close") this.openHandles.delete(args[0] as number);
    const result = this.#withFault(call, path, invoke, args);
    if (call === "open") this.openHandles.set(result as number, path);
    return result;
  }

  #withFault(call: Call, path: string, invoke: (...args: unknown[]) => unknown, args: unknown[]): unknown {
    for (const fault of this.#faults) {
      if (fault.call !== call || !path.includes(fault.path)) continue;
      if (fault.skip > 0) {
        fault.skip--;
        continue;
      }
      if (fault.times === 0) continue;
      fault.times--;
      if (call === "close" && fault.act.length === 0) invoke(...args);
      return fault.act(invoke, args);
    }
    return invoke(...args);
  }
}
