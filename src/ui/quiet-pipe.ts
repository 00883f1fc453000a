import type { OutputStream } from "./terminal.ts";

export type SafeWriter = (text: string) => void;

/**
 * Writes to a stream whose reader may leave (`| head`). What comes after that is dropped without a word: the command goes
 * on, because drives are being written or an exit code is waited for, and nobody reads the text.
 */
export function quietPipe(stream: OutputStream): SafeWriter {
  let isGone = false;
  const emitter = stream as Partial<Pick<NodeJS.EventEmitter, "on">>;
  emitter.on?.("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    isGone = true;
  });
  return (text) => {
    if (!isGone) stream.write(text);
  };
}
