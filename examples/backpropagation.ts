// Backpropagation is the chain rule, applied backwards through the operations of a formula: every operation multiplies the
// gradient that arrives with its own local gradient. Here two circuits of the course, by hand and by `backward`.
//
// What to see: the same numbers both ways, -4 -4 3 for (x + y)·z, and 0.39 -0.59 -0.20 -0.39 0.20 for the neuron, and an
// error of gradCheck, which compares with (f(x + h) − f(x − h)) / 2h, that is far below 1e-7.
import { add, backward, gradCheck, matmul, mul, sigmoid, tensor, variable } from 'ferrograd'

const float64 = { dtype: 'float64' } as const
const show = (title: string, values: Iterable<number>) =>
  console.log(`${title}: ${Array.from(values, (value) => value.toFixed(2)).join(' ')}`)

// f = (x + y)·z. An addition hands its gradient on to both sides; a product swaps its factors.
{
  const [x, y, z] = [variable(tensor(-2)), variable(tensor(5)), variable(tensor(-4))]
  const gradients = backward(mul(add(x, y), z))
  show('(x + y)·z by backward', await Promise.all([x, y, z].map((input) => gradients.get(input).item())))

  const q = -2 + 5
  const [dq, dz] = [-4, q] // f = q·z
  show('(x + y)·z by hand    ', [dq, dq, dz]) // q = x + y
}

// A neuron: f = σ(w₀x₀ + w₁x₁ + w₂). The gradient of σ is (1 − σ)σ, so one step passes the whole of it.
{
  const w = variable(tensor([[2], [-3], [-3]]))
  const x = variable(tensor([[-1, -2, 1]])) // the last input is the constant 1 of the bias w₂
  const gradients = backward(sigmoid(matmul(x, w)))
  const [dw, dx] = [await gradients.get(w).data(), await gradients.get(x).data()]
  show('the neuron by backward', [...dx.slice(0, 2), ...dw].map(Number))

  const score = 2 * -1 + -3 * -2 + -3
  const f = 1 / (1 + Math.exp(-score))
  const dscore = (1 - f) * f
  show('the neuron by hand    ', [2 * dscore, -3 * dscore, -1 * dscore, -2 * dscore, dscore])
}

// The same neuron against finite differences, in float64.
const w = tensor([[2], [-3], [-3]], float64)
const x = tensor([[-1, -2, 1]], float64)
const { maxRelativeError, passed } = await gradCheck((w, x) => sigmoid(matmul(x, w)), [w, x])
console.log(
  `gradCheck: ${passed ? 'passed' : 'failed'}, the largest relative error is ${maxRelativeError.toExponential(0)}`,
)
