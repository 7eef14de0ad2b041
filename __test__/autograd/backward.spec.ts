import test from 'ava'
import {
  add,
  backward,
  GradientError,
  gradCheck,
  gradients,
  memory,
  mul,
  noGrad,
  relu,
  reshape,
  ShapeError,
  scope,
  sum,
  tensor,
  variable,
} from 'ferrograd'

test('a tensor used twice gets both terms', async (t) => {
  const x = variable(tensor([3]))
  t.is(await backward(mul(x, x)).get(x).item(), 6)
  t.is(
    await backward(add(mul(x, x), x))
      .get(x)
      .item(),
    7,
  )
})

test('branches meet again', async (t) => {
  const x = variable(tensor([2]))
  const a = mul(x, tensor([3]))
  const b = mul(a, a)
  const c = add(a, x)
  // d/dx (3x·3x + 3x + x) = 18x + 4
  t.is(await backward(add(b, c)).get(x).item(), 40)
})

test('deep graphs need no recursion', async (t) => {
  const x = variable(tensor([1]))
  const loss = scope(() => {
    let y = mul(x, tensor([1]))
    for (let i = 0; i < 100_000; i++) y = relu(y)
    return y
  })
  t.is(await backward(loss).get(x).item(), 1)
  loss.dispose()
  const abandoned = scope(() => {
    let y = mul(x, tensor([1]))
    for (let i = 0; i < 100_000; i++) y = relu(y)
    return y
  })
  t.notThrows(() => abandoned.dispose())
})

test('gradients of any tensors, and zero where nothing depends', async (t) => {
  const a = tensor([2])
  const b = tensor([5])
  const [da, db] = gradients(() => mul(a, a), [a, b])
  t.deepEqual([await da.item(), await db.item()], [4, 0])
  t.throws(() => backward(mul(a, a)), { instanceOf: GradientError })
})

test('an error names what has no gradient', (t) => {
  const w = variable(tensor([1]), { name: 'w' })
  const other = variable(tensor([1]), { name: 'other' })
  const frozen = variable(tensor([1]), { name: 'frozen', trainable: false })
  const found = backward(mul(mul(w, w), frozen))
  t.throws(() => found.get(other), {
    instanceOf: GradientError,
    message:
      'gradients.get: there is no gradient of variable "other", shape [1]: the loss does not depend on it, or it is no variable',
  })
  t.throws(() => found.get(frozen), {
    message: 'gradients.get: there is no gradient of variable "frozen", shape [1]: it is not trainable',
  })
  t.throws(() => backward(relu(frozen)), {
    instanceOf: GradientError,
    message:
      'backward: the loss depends on no trainable variable, or was computed inside noGrad. make the parameters with variable(…)',
  })
  t.throws(() => backward(noGrad(() => mul(w, w))), { instanceOf: GradientError })
  t.throws(() => backward(variable(tensor([1, 2]))), {
    instanceOf: ShapeError,
    message: 'backward: the loss must have one element. got shape [2]. reduce it with mean(loss) or sum(loss)',
  })
})

test('backward works once for each forward pass', (t) => {
  const w = variable(tensor([1]))
  const loss = mul(w, w)
  backward(loss)
  t.throws(() => backward(loss), {
    instanceOf: GradientError,
    message:
      'backward: the graph was used up by an earlier backward, which frees what the forward pass saved (at mul). run the forward pass again',
  })
})

test('a variable that changed under the graph is noticed', (t) => {
  const w = variable(tensor([1]))
  const loss = mul(w, w)
  w.assign(tensor([2]))
  t.throws(() => backward(loss), {
    instanceOf: GradientError,
    message:
      "backward: a variable that mul needs for its gradient was changed after the forward pass. call backward before the optimizer's step or assign",
  })
})

test('what the rule needs outlives the tensors of the user', async (t) => {
  const w = variable(tensor([3]))
  const x = tensor([4])
  const y = mul(w, x)
  x.dispose()
  t.is(await backward(y).get(w).item(), 4)
})

test.serial('backward, and disposing instead of it, leave nothing behind', (t) => {
  const w = variable(
    tensor([
      [1, -2],
      [3, 4],
    ]),
  )
  const run = () => sum(mul(relu(mul(w, w)), reshape(w, [2, 2])))
  run().dispose()
  const before = memory().tensors
  for (let i = 0; i < 3; i++) {
    scope(() => {
      backward(run())
    })
    t.is(memory().tensors, before)
    scope(run).dispose()
    t.is(memory().tensors, before)
  }
})

test('gradCheck finds a wrong gradient and passes a right one', async (t) => {
  const x = tensor(
    [
      [0.3, -0.7],
      [1.1, 2],
    ],
    { dtype: 'float64' },
  )
  const good = await gradCheck((a, b) => mul(relu(a), b), [x, tensor([[2], [3]], { dtype: 'float64' })])
  t.true(good.passed)
  t.is(good.perInput.length, 2)
  // The gradient of noGrad's result is zero, its numeric derivative is not.
  const wrong = await gradCheck(
    (a) =>
      add(
        a,
        noGrad(() => mul(a, a)),
      ),
    [x],
  )
  t.false(wrong.passed)
  t.true(wrong.maxRelativeError > 0.1)
  await t.throwsAsync(gradCheck(relu, [tensor([1])]), {
    message:
      "gradCheck: inputs[0] has dtype float32; finite differences need float64. make it with tensor(values, { dtype: 'float64' })",
  })
})
