// Who writes a temporary file: so that those of writers that died can be told from those at work.

import { createHash } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/** @internal A process, as it stands in the names of its temporary files. */
export interface Writer {
  /** The machine since its last start, and the container: what makes numbers of processes comparable. */
  readonly machine: string
  readonly pid: number
  /** When the process began, so that another one with its number is not taken for it. Empty where it is unknown. */
  readonly began: string
}

let own: Writer | undefined

/** @internal This process. */
export function thisWriter(): Writer {
  own ??= { machine: machine(), pid: process.pid, began: startOf(process.pid) ?? '' }
  return own
}

/**
 * @internal Whether the process still runs. Undefined when that cannot be known: it belongs to another machine or
 * container, or its number may have been given to another process.
 */
export function isAlive(writer: Writer): boolean | undefined {
  const self = thisWriter()
  if (writer.machine !== self.machine) return undefined
  if (writer.began !== '') return startOf(writer.pid) === writer.began
  try {
    process.kill(writer.pid, 0)
    return undefined
  } catch (error) {
    return (error as { code?: string }).code === 'ESRCH' ? false : undefined
  }
}

/** When a process began, in clock ticks since the machine did. Undefined without such a process or without /proc. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The second field, the name, may hold spaces and brackets; the twentieth behind it is the start.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
  } catch {
    return undefined
  }
}

function machine(): string {
  const parts = [hostname()]
  try {
    parts.push(readFileSync('/proc/sys/kernel/random/boot_id', 'latin1'), readlinkSync('/proc/self/ns/pid'))
  } catch {
    // Not Linux: the name has to do.
  }
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 8)
}
