// Running ahead, but not far: steps that are queued and whose results are still to come.

/** @internal Keeps fewer than `limit` results outstanding while the caller queues the next step. */
export class InFlight<T> {
  private readonly waiting: { result: Promise<T>; arrived: (value: T) => unknown }[] = []

  constructor(private readonly limit: number) {}

  /** Notes a queued step. Resolves when the next one may be queued. */
  async add(result: Promise<T>, arrived: (value: T) => unknown): Promise<void> {
    // Whoever awaits it first sees the error; until then it is not unhandled.
    result.catch(() => {})
    this.waiting.push({ result, arrived })
    while (this.waiting.length >= this.limit) await this.oldest()
  }

  /** Waits for all results. */
  async drain(): Promise<void> {
    while (this.waiting.length > 0) await this.oldest()
  }

  /** Waits for all steps and forgets their results. */
  async abandon(): Promise<void> {
    await Promise.allSettled(this.waiting.splice(0).map(({ result }) => result))
  }

  private async oldest(): Promise<void> {
    const { result, arrived } = this.waiting.shift()!
    await arrived(await result)
  }
}
