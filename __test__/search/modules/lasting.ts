// A build that takes its time on the main thread, and on another fails.
import { setTimeout } from 'node:timers/promises'
import { isMainThread } from 'node:worker_threads'
import type { Model } from 'ferrograd'
import { build as buildNet, type NetParams } from '../../helpers/search.js'

export async function build(params: NetParams): Promise<Model> {
  if (!isMainThread) throw new Error('on another thread')
  await setTimeout(1100)
  return buildNet(params)
}
