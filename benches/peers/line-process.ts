// A program that answers each line of JSON on its input with one on its output, in order.

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

export class LineProcess<Reply> {
  private readonly child: ChildProcessWithoutNullStreams
  private readonly waiting: { resolve(reply: Reply): void; reject(error: Error): void }[] = []
  private ended: Error | undefined
  private complaint = ''

  constructor(command: string, args: readonly string[], env: NodeJS.ProcessEnv) {
    this.child = spawn(command, args, { env })
    createInterface({ input: this.child.stdout }).on('line', (line) => this.waiting.shift()?.resolve(JSON.parse(line)))
    this.child.stderr.on('data', (chunk: Buffer) => {
      this.complaint = (this.complaint + chunk.toString()).slice(-2000)
    })
    this.child.on('error', (error) => this.end(error.message))
    this.child.on('close', () => this.end(this.complaint.trim().split('\n').at(-1) || `${command} ended`))
    this.child.stdin.on('error', () => {}) // 'close' tells why
  }

  /** The next line that nobody asked for, or the answer to the oldest question. */
  next(): Promise<Reply> {
    if (this.ended !== undefined) return Promise.reject(this.ended)
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }))
  }

  ask(request: object): Promise<Reply> {
    const reply = this.next()
    this.child.stdin.write(`${JSON.stringify(request)}\n`)
    return reply
  }

  /** It ends by itself when nobody asks any more. */
  stop(): void {
    this.child.stdin.end()
  }

  private end(why: string): void {
    this.ended ??= new Error(why)
    for (const { reject } of this.waiting.splice(0)) reject(this.ended)
  }
}
