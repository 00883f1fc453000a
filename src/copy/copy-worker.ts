/**
 * Entry of a copy worker thread: binds the copy loop to the machine's file system and to the messages of the engine's
 * thread. It never returns to its event loop while it works: messages are pulled, and it sleeps in shared memory.
 */
import { once } from "node:events";
import { parentPort, receiveMessageOnPort } from "node:worker_threads";
import { systemClock } from "../platform/clock.ts";
import { nodeFileSystem } from "../platform/file-system.ts";
import { CopyLoop } from "./copy-loop.ts";
import { createLoopHasher } from "./loop-contract.ts";
import { SharedState } from "./shared-state.ts";
import type { UnitResult, WorkUnit } from "./work-unit.ts";
import type { ToWorker, WorkerStart } from "./worker-messages.ts";

const port = parentPort;
if (port === null) throw new Error("a copy worker is started by the copy engine");
const [start] = (await once(port, "message")) as [WorkerStart];
const { worker, job, kernel, shared: buffers } = start;
const shared = new SharedState(buffers);
const hasher = createLoopHasher(kernel, job.directRead);
const loop = new CopyLoop(nodeFileSystem, systemClock, hasher, job, {
  shouldStop: (drive) => shared.shouldStop(drive),
  driveFailed: (drive) => shared.setFailed(drive),
  transferred: (drive, bytes) => {
    shared.addBytes(drive, bytes);
    if (bytes > 0) shared.spendTokens(bytes);
  },
});

let isStopped = false;

const poll = (): WorkUnit | undefined => {
  const received = receiveMessageOnPort(port) as { message: ToWorker } | undefined;
  if (received === undefined) return undefined;
  if (received.message.kind !== "stop") return received.message;
  isStopped = true;
  return undefined;
};

const deliver = (result: UnitResult): void => {
  const transfer = [result.files.buffer as ArrayBuffer];
  if (result.range?.outcome === "done") transfer.push(result.range.digests.buffer as ArrayBuffer);
  port.postMessage(result, transfer);
};

while (!isStopped) {
  const seen = shared.wakeCount(worker);
  let took = false;
  loop.run(() => {
    const unit = poll();
    took ||= unit !== undefined;
    return unit;
  }, deliver);
  if (!took && !isStopped) shared.sleep(worker, seen);
}
loop.close();
