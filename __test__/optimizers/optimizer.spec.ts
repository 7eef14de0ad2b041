import test from 'ava'
import {
  add,
  backward,
  GradientError,
  type Gradients,
  mul,
  type Optimizer,
  optimizers,
  ShapeError,
  scope,
  setThreads,
  square,
  sum,
  tensor,
  threads,
  variable,
} from 'ferrograd'
import { gradientsOf, stepAlong, variablesOf } from '../helpers/optimizer.js'
import { assertNear, numbers, values } from '../helpers/values.js'

const { sgd, adam, adagrad } = optimizers
const norm = (all: number[]) => Math.hypot(...all)

for (const dtype of ['float32', 'float64'] as const) {
  const within = dtype === 'float32' ? 2e-6 : 1e-12
  test(`gradients are clipped by value, by norm or together, in ${dtype}`, async (t) => {
    const gradients = gradientsOf(1, dtype)
    const gs = await Promise.all(gradients.map(values))
    const together = norm(gs.map(norm))
    const clipped: [object, (g: number, own: number[]) => number][] = [
      [{ clipValue: 0.3 }, (g) => Math.min(0.3, Math.max(-0.3, g))],
      [{ clipNorm: 1.5 }, (g, own) => g * Math.min(1, 1.5 / norm(own))],
      [{ globalClipNorm: 2 }, (g) => (g * 2) / together],
      [{ globalClipNorm: 1e6 }, (g) => g],
    ]
    for (const [options, clip] of clipped) {
      const variables = variablesOf(dtype)
      const before = await Promise.all(variables.map(values))
      stepAlong(sgd({ learningRate: 1, ...options }), variables, gradients)
      for (const [i, w] of variables.entries()) {
        const expected = before[i]!.map((old, at) => old - clip(gs[i]![at]!, gs[i]!))
        assertNear(t, await values(w), expected, within, `${JSON.stringify(options)}, variable ${i}`)
      }
    }
  })
}

test('clipping survives gradients whose squares overflow float32', async (t) => {
  const [w] = [variable(tensor([0, 0]))]
  stepAlong(sgd({ learningRate: 1, globalClipNorm: 5 }), [w], [tensor([3e30, 4e30])])
  assertNear(t, await values(w), [-3, -4], 1e-6)
})

test('a gradient that is NaN makes its weight NaN, clipped by value or not; a norm carries it everywhere', async (t) => {
  const run = async (options: object) => {
    const w = variable(tensor([1, 2]))
    stepAlong(sgd({ learningRate: 1, ...options }), [w], [tensor([Number.NaN, 1])])
    return values(w)
  }
  t.deepEqual(await run({}), [Number.NaN, 1])
  t.deepEqual(await run({ clipValue: 0.5 }), [Number.NaN, 1.5])
  t.deepEqual(await run({ clipNorm: 0.5 }), [Number.NaN, Number.NaN])
})

test('the learning rate is read and set, and a schedule is asked before every step', async (t) => {
  const w = variable(tensor([0]))
  const one = tensor([1])
  const optimizer = sgd({ learningRate: 0.5 })
  t.is(optimizer.learningRate, 0.5)
  stepAlong(optimizer, [w], [one])
  optimizer.learningRate = 0.25
  t.is(optimizer.learningRate, 0.25)
  stepAlong(optimizer, [w], [one])
  t.is(await w.item(), -0.75)
  const asked: number[] = []
  optimizer.learningRate = {
    at: (step) => {
      asked.push(step)
      return 2 ** -step
    },
  }
  t.is(optimizer.learningRate, 0.25)
  stepAlong(optimizer, [w], [one])
  stepAlong(optimizer, [w], [one])
  t.is(await w.item(), -0.75 - 0.25 - 0.125)
  t.deepEqual(asked, [2, 2, 3])
  for (const [rate, shown] of [
    [-1, '-1'],
    [Number.NaN, 'NaN'],
    [Infinity, 'Infinity'],
  ] as const) {
    t.throws(
      () => {
        optimizer.learningRate = rate
      },
      {
        instanceOf: RangeError,
        code: 'ERR_OUT_OF_RANGE',
        message: `sgd: learningRate must be a number from 0. got ${shown}`,
      },
    )
    optimizer.learningRate = { at: () => rate }
    t.throws(() => stepAlong(optimizer, [w], [one]), {
      instanceOf: RangeError,
      message: `sgd: the schedule gave ${shown} at step 4; a learning rate is a number from 0`,
    })
  }
  t.is(optimizer.iterations, 4)
})

test('a step takes gradients and nothing else, none of them too', async (t) => {
  const optimizer = adam()
  for (const [wrong, shown] of [
    [undefined, 'undefined'],
    [[], '[]'],
    [new Map(), 'a Map'],
  ]) {
    t.throws(() => optimizer.step(wrong as unknown as Gradients), {
      instanceOf: TypeError,
      code: 'ERR_INVALID_ARG_TYPE',
      message: `adam: step expects what backward(loss) returns. got ${shown}`,
    })
  }
  const frozen = variable(tensor([1]), { trainable: false })
  const w = variable(tensor([2]))
  optimizer.step(backward(sum(mul(w, frozen))))
  t.is(await frozen.item(), 1)
  t.not(await w.item(), 2)
})

test('weights change in place: what was recorded before a step cannot be differentiated after it', (t) => {
  const w = variable(tensor([2]))
  const optimizer = sgd()
  const [first, second] = [square(w), square(w)]
  optimizer.step(backward(first))
  t.throws(() => backward(second), {
    instanceOf: GradientError,
    message:
      "backward: a variable that square needs for its gradient was changed after the forward pass. call backward before the optimizer's step or assign",
  })
})

test('variables may come later, and both dtypes at once', async (t) => {
  const [a, b, c] = [variable(tensor([1])), variable(tensor([2])), variable(tensor([3], { dtype: 'float64' }))]
  const optimizer = adagrad({ learningRate: 1, initialAccumulatorValue: 0, epsilon: 1e-12 })
  stepAlong(optimizer, [a], [tensor([4])])
  stepAlong(optimizer, [a, b], [tensor([3]), tensor([5])])
  assertNear(t, [await a.item(), await b.item()], [1 - 1 - 3 / 5, 1], 1e-6)
  scope(() => optimizer.step(backward(sum(square(c)))))
  assertNear(t, [await c.item()], [2], 1e-12)
})

test('the same bits on any number of threads', async (t) => {
  const run = async (options: object) => {
    const w = variable(numbers([200_000], 1, 'float32'))
    const optimizer = adam({ learningRate: 0.1, ...options })
    for (let step = 0; step < 3; step++) stepAlong(optimizer, [w], [numbers([200_000], step, 'float32')])
    return values(w)
  }
  const before = threads()
  for (const options of [{}, { clipNorm: 0.1 }, { globalClipNorm: 0.1 }]) {
    setThreads(1)
    const one = await run(options)
    setThreads(3)
    t.deepEqual(await run(options), one)
  }
  setThreads(before)
})

test('a state that does not fit is refused', (t) => {
  const w = variable(tensor([1, 2]))
  const optimizer = adam()
  for (const [wrong, shown] of [
    [undefined, 'undefined'],
    [{}, 'an object'],
    [{ iterations: -1, variables: [] }, 'an object'],
    [{ iterations: 1.5, variables: [] }, 'an object'],
    [{ iterations: 1, variables: {} }, 'an object'],
  ]) {
    t.throws(() => optimizer.load(wrong as unknown as ReturnType<Optimizer['state']>), {
      instanceOf: TypeError,
      message: `adam: load expects what state() returned. got ${shown}`,
    })
  }
  const momentum = sgd({ momentum: 0.9 })
  stepAlong(momentum, [w], [tensor([1, 1])])
  t.throws(() => optimizer.load(momentum.state()), {
    instanceOf: TypeError,
    message: `adam: the state has no m for variable "${w.name}". it is the state of another kind of optimizer`,
  })
  optimizer.load({ iterations: 1, variables: [{ name: 'w', slots: { m: tensor([1]), v: tensor([1]) } }] })
  t.throws(() => stepAlong(optimizer, [w], [tensor([1, 1])]), {
    instanceOf: ShapeError,
    message: `adam: the loaded m is float32 [1], but variable "${w.name}" is float32 [2]. load the state of an optimizer that trained the same model`,
  })
})

test('a state is a copy: later steps do not change it, and it may be loaded after being freed elsewhere', async (t) => {
  const w = variable(tensor([1, 2]))
  const optimizer = adam()
  stepAlong(optimizer, [w], [tensor([1, -1])])
  const state = optimizer.state()
  const before = await values(state.variables[0]!.slots.m!)
  stepAlong(optimizer, [w], [tensor([5, 5])])
  t.deepEqual(await values(state.variables[0]!.slots.m!), before)
  optimizer.dispose()
  t.deepEqual(optimizer.state().variables, [])
})

test('a shared gradient reaches both variables', async (t) => {
  const [a, b] = [variable(tensor([1, 1])), variable(tensor([2, 2]))]
  scope(() => sgd({ learningRate: 1 }).step(backward(sum(add(a, b)))))
  t.deepEqual(
    [await values(a), await values(b)],
    [
      [0, 0],
      [1, 1],
    ],
  )
})
