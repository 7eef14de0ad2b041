import test from 'ava'
import {
  add,
  DTypeError,
  dropout,
  GradientError,
  gradCheck,
  layers,
  losses,
  matmul,
  memory,
  mul,
  noGrad,
  relu,
  sequential,
  sub,
  tanh,
  tensor,
  variable,
} from 'ferrograd'
import { numbers, values } from '../helpers/values.js'

const x = numbers([2, 3], 1)

test('the result reads as a table', async (t) => {
  const w = variable(tensor([[2], [3]], { dtype: 'float64' }), { name: 'w' })
  const a = tensor(
    [
      [0.5, -1],
      [1, 2],
    ],
    { dtype: 'float64' },
  )
  const result = await gradCheck((a, w) => matmul(a, w, { activation: 'relu' }), [a, w])
  t.true(result.passed)
  t.deepEqual(result.operations, ['matmul + relu'])
  t.deepEqual(result.kinks, ['matmul + relu'])
  t.is(result.maxRelativeError, Math.max(...result.perInput))
  t.deepEqual(
    result.inputs.map(({ name, shape, size, checked }) => ({ name, shape, size, checked })),
    [
      { name: 'inputs[0]', shape: [2, 2], size: 4, checked: 4 },
      { name: 'w', shape: [2, 1], size: 2, checked: 2 },
    ],
  )
  const { analytic, numeric, relativeError, index } = result.inputs[1]!.worst!
  t.true(relativeError < 1e-7 && Math.abs(analytic - numeric) < 1e-6)
  const lines = String(result).split('\n')
  t.is(lines.length, 5)
  t.regex(lines[0]!, /^gradCheck: passed\. the largest relative error is \d\.\de-\d+$/)
  t.is(lines[1], 'ops: matmul + relu')
  t.regex(lines[2]!, /^input {6}shape {3}checked {2}worst at {2}analytic +numeric +relative error {2}verdict$/)
  t.regex(lines[3]!, /^inputs\[0\] {2}\[2, 2\] {2}all {6}\[\d, \d\] {4}-?\d\.\d{6}e.+ {2}happy$/)
  t.regex(lines[4]!, new RegExp(`^w +\\[2, 1\\]  all +\\[${index.join(', ')}\\] +${analytic.toExponential(6)} `))
})

test('errors fall into the bands of the course', async (t) => {
  // The gradient of x · (1 + e) where e is hidden is off by the share e.
  const off = (e: number, kinked: boolean) =>
    gradCheck(
      (a) => {
        const y = add(
          a,
          noGrad(() => mul(a, tensor([e], { dtype: 'float64' }))),
        )
        return kinked ? relu(y) : y
      },
      [tensor([1, 2], { dtype: 'float64' })],
    )
  for (const [e, kinked, passed, verdict] of [
    [0.5, false, false, 'probably wrong'],
    [3e-3, true, false, 'uncomfortable'],
    [5e-4, false, true, 'uncomfortable'],
    [5e-5, true, true, 'fine: there are kinks (relu)'],
    [5e-5, false, true, 'a little high: there are no kinks'],
    [0, true, true, 'happy'],
  ] as const) {
    const result = await off(e, kinked)
    t.is(result.passed, passed)
    t.true(String(result).endsWith(`  ${verdict}`), String(result))
    if (e > 0) {
      t.true(Math.abs(result.maxRelativeError - e / (1 + e)) < 1e-6)
      t.true(String(result).startsWith(`gradCheck: ${passed ? 'passed' : 'failed'}. `))
    }
  }
})

test('a kink that a difference crosses shows, and the gradient is right beside it', async (t) => {
  const at = (value: number) => gradCheck(relu, [tensor([value, 1], { dtype: 'float64' })])
  const crossed = await at(2e-7)
  t.false(crossed.passed)
  t.deepEqual(crossed.inputs[0]!.worst!.index, [0])
  t.deepEqual(crossed.kinks, ['relu'])
  t.true((await at(1e-3)).passed)
})

test('samples compares only some elements, the same ones for the same seed', async (t) => {
  const big = numbers([40, 50], 3)
  const small = numbers([3], 4)
  const seen: string[] = []
  for (const seed of [1, 1, 2]) {
    const result = await gradCheck(
      (a, b) => add(tanh(a), tanh(matmul(b, b))),
      [big, tensor([[1]], { dtype: 'float64' })],
      {
        samples: 5,
        seed,
      },
    )
    t.true(result.passed)
    t.deepEqual(
      result.inputs.map(({ checked }) => checked),
      [5, 1],
    )
    t.true(String(result).includes('  5 of 2000  '))
    seen.push(String(result.inputs[0]!.worst!.index))
  }
  t.is(seen[0], seen[1])
  t.is((await gradCheck(tanh, [small], { samples: 3 })).inputs[0]!.checked, 3)
})

test('a tensor given twice, used twice, and in branches', async (t) => {
  const twice = await gradCheck((a, b) => mul(add(a, b), sub(a, tanh(b))), [x, x])
  t.true(twice.passed)
  t.is(twice.perInput[0], twice.perInput[1])
  t.deepEqual(twice.operations, ['add', 'tanh', 'sub', 'mul'])
})

test('a deep graph needs no recursion', async (t) => {
  const result = await gradCheck(
    (a) => {
      let y = a
      for (let i = 0; i < 20_000; i++) y = add(y, a)
      return y
    },
    [tensor([1], { dtype: 'float64' })],
  )
  t.true(result.passed)
  t.deepEqual(result.operations, ['add'])
})

test.serial('the weights of a model are checked in place and stay', async (t) => {
  const model = sequential({
    inputShape: [3],
    dtype: 'float64',
    layers: [layers.dense({ units: 4, activation: 'tanh' }), layers.dense({ units: 2 })],
  })
  const labels = tensor([0, 1], { dtype: 'int32' })
  const before = await Promise.all(model.weights.map(values))
  await values(x)
  const tensors = memory().tensors
  const result = await gradCheck(() => losses.softmaxCrossEntropy(model.forward(x), labels), model.trainableWeights)
  t.true(result.maxRelativeError < 1e-6)
  t.deepEqual(
    result.inputs.map(({ name }) => name),
    model.trainableWeights.map(({ name }) => name),
  )
  t.deepEqual(result.operations, ['matmul', 'tanh', 'softmaxCrossEntropy'])
  t.is(memory().tensors, tensors)
  t.deepEqual(await Promise.all(model.weights.map(values)), before)
  // Also when the function fails on the way.
  let calls = 0
  await t.throwsAsync(
    gradCheck(() => {
      if (++calls === 4) throw new Error('enough')
      return model.forward(x)
    }, model.trainableWeights),
    { message: 'enough' },
  )
  t.deepEqual(await Promise.all(model.weights.map(values)), before)
  t.is(memory().tensors, tensors)
})

test('what does not depend on an input has gradient zero; what is no number is wrong', async (t) => {
  const result = await gradCheck((_a, b) => tanh(b), [x, tensor([[1]], { dtype: 'float64' })])
  t.is(result.perInput[0], 0)
  const constant = await gradCheck(() => tensor([1], { dtype: 'float64' }), [x])
  t.is(String(constant).split('\n')[1], 'ops: none: the result does not depend on the inputs')
  const fixed = tensor([1], { dtype: 'float64' })
  t.true((await gradCheck(() => fixed, [x])).passed)
  t.false(fixed.disposed)
  const broken = await gradCheck((a) => mul(a, a), [tensor([1, Number.NaN, 2], { dtype: 'float64' })])
  t.false(broken.passed)
  t.is(broken.maxRelativeError, Number.NaN)
  t.true(String(broken).endsWith('  NaN  wrong: not a number'.replace('  NaN  ', '  NaN             ')))
  const nothing = await gradCheck((a) => a, [tensor([], { dtype: 'float64' })])
  t.true(nothing.passed)
  t.true(String(nothing).endsWith('nothing to check'))
})

test('wrong arguments', async (t) => {
  const cases: [unknown[], ErrorConstructor, string][] = [
    [[1, [x]], TypeError, 'the first argument must be a function that returns a Tensor'],
    [[relu, x], TypeError, 'the second argument must be an array of tensors. got a Tensor'],
    [[relu, []], TypeError, 'the second argument must be an array of tensors. got []'],
    [[relu, [1]], TypeError, 'inputs[0] must be a Tensor. got 1. make one with tensor(values)'],
    [
      [relu, [tensor([1])]],
      DTypeError as unknown as ErrorConstructor,
      "inputs[0] has dtype float32; finite differences need float64. make it with tensor(values, { dtype: 'float64' })",
    ],
    [[relu, [x], 7], TypeError, 'expects an options object. got 7'],
    [
      [relu, [x], { sample: 1 }],
      TypeError,
      'there is no option sample (got 1). valid are epsilon, absoluteTolerance, relativeTolerance, samples, seed and upstream',
    ],
    [[relu, [x], { epsilon: 0 }], RangeError, 'epsilon must be above 0. got 0'],
    [[relu, [x], { relativeTolerance: Number.NaN }], RangeError, 'relativeTolerance must be above 0. got NaN'],
    [[relu, [x], { samples: 0 }], RangeError, 'samples must be a whole number from 1. got 0'],
    [[relu, [x], { samples: 1.5 }], RangeError, 'samples must be a whole number from 1. got 1.5'],
    [[relu, [x], { seed: -1 }], RangeError, 'seed must be a whole number from 0 to 2^53 - 1. got -1'],
    [[() => 1, [x]], TypeError, 'the result of the function must be a Tensor. got 1. make one with tensor(values)'],
  ]
  for (const [args, instanceOf, message] of cases) {
    await t.throwsAsync(gradCheck(...(args as Parameters<typeof gradCheck>)), {
      instanceOf,
      message: `gradCheck: ${message}`,
    })
  }
  const error = await t.throwsAsync(
    gradCheck((a) => dropout(a, { rate: 0.5 }), [numbers([100], 1)]),
    { instanceOf: GradientError },
  )
  t.regex(
    error!.message,
    /^gradCheck: the function gives another result for the same inputs, so differences say nothing\. got -?[\d.]+, then -?[\d.]+\. give dropout and other random ops a fixed seed, or leave them out$/,
  )
})

test('upstream is the gradient that arrives', async (t) => {
  const float64 = { dtype: 'float64' } as const
  const x = tensor([1, 2], float64)
  // The second element has no gradient, where its derivative is not 0: an error that only shows where it has weight.
  const half = (a: typeof x) =>
    add(
      mul(a, tensor([1, 0], float64)),
      noGrad(() => mul(a, tensor([0, 1], float64))),
    )
  t.true((await gradCheck(half, [x], { upstream: tensor([3, 0], float64) })).passed)
  const { passed, inputs } = await gradCheck(half, [x], { upstream: tensor([3, -2], float64) })
  t.false(passed)
  t.true(Math.abs(inputs[0]!.worst!.numeric + 2) < 1e-8)
  const shape = 'upstream has another shape than the result of the function. upstream [3], result [2]'
  const dtype = 'upstream has dtype float32, but the check computes in float64'
  for (const [upstream, message] of [
    [tensor([1, 2, 3], float64), `gradCheck: ${shape}`],
    [tensor([1, 2]), `gradCheck: ${dtype}. make it with tensor(values, { dtype: 'float64' })`],
    [1, 'gradCheck: upstream must be a Tensor. got 1. make one with tensor(values)'],
  ] as [typeof x, string][]) {
    await t.throwsAsync(gradCheck(half, [x], { upstream }), { message })
  }
})
