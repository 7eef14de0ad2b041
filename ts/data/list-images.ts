// The images of a folder with a folder for each class.

import { readdir, realpath, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { FormatError, fileError } from '../errors.js'
import { listed } from '../initializers/options.js'

const extensions = new Set(['.jpg', '.jpeg', '.png', '.webp', '.gif', '.tif', '.tiff', '.avif'])

/** @internal One class and its images, as paths. */
export interface ImageClass {
  name: string
  files: string[]
}

/**
 * @internal The classes of `dir` and their images, folders inside included, sorted by the code of their characters:
 * everywhere the same. Links are followed; names that begin with a dot and files that are no images are left out.
 */
export async function listImages(op: string, dir: string): Promise<ImageClass[]> {
  const { folders, files } = await entriesOf(op, dir)
  const classes: ImageClass[] = []
  for (const name of folders) {
    classes.push({ name, files: await imagesIn(op, join(dir, name), new Set([await realpath(dir)])) })
  }
  if (classes.length === 0) {
    const loose = files.filter(isImage).length
    const found = loose > 0 ? `${loose} images lie directly in it` : 'it has no folders'
    throw new FormatError(`${op}: ${dir} must have a folder for each class, with its images inside. ${found}`)
  }
  const empty = classes.filter(({ files }) => files.length === 0).map(({ name }) => join(dir, name))
  if (empty.length > 0) {
    throw new FormatError(
      `${op}: ${empty.join(', ')} ${empty.length === 1 ? 'has' : 'have'} no images (${listed([...extensions])}). fill or remove ${empty.length === 1 ? 'it' : 'them'}`,
    )
  }
  if (classes.length === 1) {
    throw new FormatError(
      `${op}: ${dir} has a single class, ${classes[0]!.name}, and there is nothing to tell apart. give the folder that has a folder for each class`,
    )
  }
  return classes
}

function isImage(name: string): boolean {
  return extensions.has(extname(name).toLowerCase())
}

async function imagesIn(op: string, dir: string, above: ReadonlySet<string>): Promise<string[]> {
  const real = await realpath(dir)
  // A link to a folder that this one lies in leads in a circle.
  if (above.has(real)) return []
  const { folders, files } = await entriesOf(op, dir)
  const found = files.filter(isImage).map((name) => join(dir, name))
  for (const name of folders) found.push(...(await imagesIn(op, join(dir, name), new Set([...above, real]))))
  return found
}

async function entriesOf(op: string, dir: string): Promise<{ folders: string[]; files: string[] }> {
  const [folders, files]: [string[], string[]] = [[], []]
  try {
    for (const entry of await readdir(dir, { withFileTypes: true })) {
      const { name } = entry
      if (name.startsWith('.')) continue
      // A link that leads nowhere is no image.
      const kind = entry.isSymbolicLink() ? await stat(join(dir, name)).catch(() => undefined) : entry
      if (kind?.isDirectory()) folders.push(name)
      else if (kind?.isFile()) files.push(name)
    }
  } catch (error) {
    throw fileError(`${op}: ${dir} cannot be read`, error)
  }
  return { folders: folders.sort(), files: files.sort() }
}
