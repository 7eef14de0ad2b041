// When a training counts as diverged.
import test from 'ava'
import { Divergence } from '../../dist/search/divergence.js'

function watch(losses: number[], explosion = 3): { reason: string | undefined; stops: number } {
  let stops = 0
  const divergence = new Divergence(explosion, () => stops++)
  divergence.onEpochBegin(2)
  losses.forEach((loss, batch) => {
    divergence.onBatchEnd(batch, { loss, batch, size: 1 })
  })
  return { reason: divergence.reason, stops }
}

test('a loss that is no number ends it at once, and once', (t) => {
  t.deepEqual(watch([1, Number.NaN, Number.NaN]), { reason: 'the loss is NaN at batch 1 of epoch 2', stops: 1 })
  t.deepEqual(watch([Infinity]), { reason: 'the loss is Infinity at batch 0 of epoch 2', stops: 1 })
})

test('an explosion is a mean over ten batches above the multiple of the first loss', (t) => {
  t.deepEqual(watch([2, ...Array<number>(9).fill(6.4)]), { reason: undefined, stops: 0 })
  t.deepEqual(watch([2, ...Array<number>(10).fill(6.4)]), {
    reason:
      'the loss explodes: its mean over 10 batches is 6.40 at batch 10 of epoch 2, more than 3 times the first loss, 2.00',
    stops: 1,
  })
  t.is(watch([2, ...Array<number>(10).fill(6.4)], 4).reason, undefined)
})

test('one odd batch is none, and neither is anything where the first loss is not positive', (t) => {
  t.is(watch([2, 15, ...Array<number>(20).fill(2)]).reason, undefined)
  t.is(watch([0, ...Array<number>(20).fill(100)]).reason, undefined)
  t.is(watch([-1, ...Array<number>(20).fill(100)]).reason, undefined)
})

test('figures of an epoch count as well', (t) => {
  const divergence = new Divergence(3, () => {})
  divergence.onEpochEnd(0, { loss: 1, val_loss: 2 })
  t.is(divergence.reason, undefined)
  divergence.onEpochEnd(1, { loss: 1, val_loss: Number.NaN })
  t.is(divergence.reason, 'val_loss is NaN after epoch 1')
})
