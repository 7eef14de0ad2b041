// A path with the place in the training in its name.

import { readdir, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { show, typeError } from '../errors.js'
import type { Position } from '../training/progress.js'

const places = ['epoch', 'batch'] as const

/** @internal `model-{epoch}-{batch}.safetensors` and the files that it stands for. */
export class NumberedPath {
  readonly folder: string
  private readonly name: string
  /** Whether different places have different files. */
  readonly varies: boolean

  constructor(op: string, path: string) {
    this.folder = dirname(path)
    this.name = basename(path)
    const inFolder = this.folder.match(/\{(?:epoch|batch)\}/)
    if (inFolder !== null) throw typeError(`${op}: ${inFolder[0]} belongs into the name of the file. got ${show(path)}`)
    const wrong = this.name.match(/\{(?!(?:epoch|batch)\})[^}]*\}?/)
    if (wrong !== null) throw typeError(`${op}: path can hold {epoch} and {batch}. got ${show(wrong[0])}`)
    if (this.name.includes('}{'))
      throw typeError(`${op}: two numbers need something between them. got ${show(this.name)}`)
    this.varies = /\{(?:epoch|batch)\}/.test(this.name)
  }

  /** The file for this place. */
  at(position: Readonly<Position>): string {
    return join(
      this.folder,
      this.name.replace(/\{(epoch|batch)\}/g, (_, place: keyof Position) => String(position[place])),
    )
  }

  /** Removes the files of places up to this one, save the last `count`. Files of later places are none of ours. */
  async keep(count: number, position: Readonly<Position>): Promise<void> {
    const files: { path: string; place: Position }[] = []
    for (const name of await readdir(this.folder)) {
      const place = this.placeOf(name)
      if (place !== undefined && compare(place, position) <= 0) files.push({ path: join(this.folder, name), place })
    }
    files.sort((a, b) => compare(b.place, a.place))
    for (const { path } of files.slice(count)) {
      await unlink(path).catch((error: { code?: string }) => {
        if (error.code !== 'ENOENT') throw error
      })
    }
  }

  /** The place of a file, if its name is one of ours. What the name does not tell counts as 0. */
  private placeOf(name: string): Position | undefined {
    const parts = this.name.split(/(\{epoch\}|\{batch\})/)
    const pattern = parts
      .map((part) => (/^\{/.test(part) ? '(0|[1-9]\\d{0,9})' : part.replace(/[^\w]/gu, '\\$&')))
      .join('')
    const match = new RegExp(`^${pattern}$`, 's').exec(name)
    if (match === null) return undefined
    const found = parts.filter((part) => /^\{/.test(part))
    const [epoch, batch] = places.map((place) => {
      const values = new Set(match.slice(1).filter((_, i) => found[i] === `{${place}}`))
      return values.size > 1 ? Number.NaN : Number([...values][0] ?? 0)
    })
    return Number.isNaN(epoch! + batch!) ? undefined : { epoch: epoch!, batch: batch! }
  }
}

function compare(a: Readonly<Position>, b: Readonly<Position>): number {
  return a.epoch - b.epoch || a.batch - b.batch
}
