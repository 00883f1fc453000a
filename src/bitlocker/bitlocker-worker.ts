/** Entry of the threads that do what would hold up everything else: stretching a key, converting ranges of a volume. */
import { constants } from "node:fs";
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { describeErrno, errnoOf } from "../platform/app-error.ts";
import { nodeFileSystem } from "../platform/file-system.ts";
import { ConvertError, convertRange, RANGE_BYTES } from "./convert-range.ts";
import { stretchKey } from "./key-stretch.ts";
import type { RangeAnswer, RangeMessage, WorkerTask } from "./worker-task.ts";
import { SectorCipher } from "./xts.ts";

const port = parentPort;
if (port === null) throw new Error("this is the entry of a worker thread");
const task = workerData as WorkerTask;
if (task.kind === "stretch") stretch(port, task);
else convert(port, task);

function stretch(to: MessagePort, { recoveryKey, salt, result }: Extract<WorkerTask, { kind: "stretch" }>): void {
  const key = stretchKey(Buffer.from(recoveryKey), Buffer.from(salt));
  key.copy(Buffer.from(result));
  key.fill(0);
  to.postMessage("done");
}

function convert(
  to: MessagePort,
  { from, to: target, direction, dataKey }: Extract<WorkerTask, { kind: "convert" }>,
): void {
  const cipher = new SectorCipher(Buffer.from(dataKey));
  const fs = nodeFileSystem;
  const files = { fromFd: fs.open(from, constants.O_RDONLY), toFd: fs.open(target, constants.O_WRONLY) };
  const buffer = Buffer.alloc(RANGE_BYTES);
  to.on("message", (range: RangeMessage) => {
    to.postMessage(answer(() => convertRange(fs, files, cipher, direction, buffer, range), range));
  });
}

function answer(step: () => void, range: RangeMessage): RangeAnswer {
  try {
    step();
    return { ...range };
  } catch (error) {
    if (!(error instanceof ConvertError)) throw error;
    return { ...range, failed: error.step, errno: errnoOf(error.cause), reason: describeErrno(error.cause) };
  }
}
