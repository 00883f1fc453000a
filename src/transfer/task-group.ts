/** Tasks of one blob that run side by side. The first failure is kept; the others are waited for. */
export class TaskGroup {
  readonly #running = new Set<Promise<void>>();
  #failure: { error: unknown } | undefined;

  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  add(task: () => Promise<void>): void {
    const running = task().catch((error: unknown) => {
      this.#failure ??= { error };
    });
    this.#running.add(running);
    void running.then(() => this.#running.delete(running));
  }

  /** Waits for all; throws what failed first. */
  async end(): Promise<void> {
    await Promise.all(this.#running);
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
