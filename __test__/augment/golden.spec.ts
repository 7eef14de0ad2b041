// Augmentations with what is random fixed, against PyTorch's and torchvision's float64 numbers.

import test from 'ava'
import { augment, type Tensor } from 'ferrograd'
import { type Placement, warpImages } from '../../dist/augment/warp-images.js'
import { checkCase, type GoldenFile, type Op, readFixture } from '../helpers/golden.js'

type Six = [number, number, number, number, number, number]
type Four = [number, number, number, number]

const ops: Record<string, (x: Tensor, options: never) => Tensor> = {
  warp: (x, { size, maps, nearest }: { size: [number, number]; maps: Six[]; nearest: boolean }) => {
    const fill = nearest ? 'nearest' : new Float64Array(x.shape[3]!)
    const placements = maps.map((map) => ({ map }))
    return warpImages('warp', x, size, placements, fill)
  },
  resizedCrop: (x, { size, part }: { size: [number, number]; part: Four }) => {
    const [top, left, bottom, right] = part
    const [height, width] = size
    const map: Six = [(right - left) / width, 0, left, 0, (bottom - top) / height, top]
    return warpImages('crop', x, size, new Array<Placement>(x.shape[0]!).fill({ map, part }), 'nearest')
  },
  rotation: (x, options) => augment.rotation(options).apply({ xs: x }).xs,
  colorJitter: (x, options) => augment.colorJitter(options).apply({ xs: x }).xs,
}

for (const golden of readFixture<GoldenFile>('augment').cases) {
  test(golden.name, async (t) => {
    await checkCase(t, golden, 'float32', ops[golden.op] as Op)
    await checkCase(t, golden, 'float64', ops[golden.op] as Op)
  })
}
