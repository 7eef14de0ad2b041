// Where downloaded files are kept.

import { resolve } from 'node:path'

/**
 * @internal The folder of one dataset: in `cacheFolder`, else in the environment variable `FERROGRAD_CACHE`, else where
 * the platform keeps such files: `$XDG_CACHE_HOME/ferrograd` or `~/.cache/ferrograd`, `~/Library/Caches/ferrograd`,
 * `%LOCALAPPDATA%\ferrograd\Cache`.
 */
export async function cacheFolderOf(dataset: string, cacheFolder: string | undefined): Promise<string> {
  const chosen = cacheFolder ?? (process.env.FERROGRAD_CACHE || undefined)
  if (chosen !== undefined) return resolve(chosen, dataset)
  const { default: envPaths } = await import('env-paths')
  return resolve(envPaths('ferrograd', { suffix: '' }).cache, dataset)
}
