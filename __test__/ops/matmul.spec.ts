import test from 'ava'
import {
  type Activation,
  backward,
  type DType,
  DTypeError,
  elu,
  gelu,
  gradCheck,
  leakyRelu,
  type MatmulOptions,
  matmul,
  memory,
  relu,
  reshape,
  ShapeError,
  setThreads,
  sigmoid,
  softplus,
  swish,
  type Tensor,
  tanh,
  tensor,
  threads,
  variable,
} from 'ferrograd'

const size = (shape: readonly number[]): number => shape.reduce((product, dimension) => product * dimension, 1)

/** Small integers: products and sums are exact in float32, so results can be compared without a tolerance. */
function integers(shape: number[], seed: number, dtype: DType = 'float32'): Tensor {
  const values = Array.from({ length: size(shape) }, (_, i) => ((i * 7 + seed * 5) % 11) - 5)
  return tensor(dtype === 'float64' ? Float64Array.from(values) : Float32Array.from(values), { shape })
}

/** Numbers without a pattern from -1 to 1, in float64. */
function numbers(shape: number[], seed: number): Tensor {
  return tensor(
    Float64Array.from({ length: size(shape) }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * seed)),
    { shape },
  )
}

/** The definition, with NumPy's broadcasting, element by element. */
async function naive(a: Tensor, b: Tensor, options: MatmulOptions = {}): Promise<number[]> {
  const [left, right] = [await a.data(), await b.data()]
  const rows = a.shape.length === 1 ? [1, ...a.shape] : [...a.shape]
  const cols = b.shape.length === 1 ? [...b.shape, 1] : [...b.shape]
  const [m, k] = options.transposeA ? [rows.at(-1)!, rows.at(-2)!] : [rows.at(-2)!, rows.at(-1)!]
  const n = options.transposeB ? cols.at(-2)! : cols.at(-1)!
  const rank = Math.max(rows.length, cols.length) - 2
  const dimension = (shape: number[], axis: number): number => shape[axis - rank + shape.length - 2] ?? 1
  const batch = Array.from({ length: rank }, (_, axis) => {
    const [inA, inB] = [dimension(rows, axis), dimension(cols, axis)]
    return inA === 1 ? inB : inA
  })
  const bias = options.bias && (await options.bias.data())
  const result: number[] = []
  for (let matrix = 0; matrix < size(batch); matrix++) {
    const start = (shape: number[]): number => {
      let [at, rest, stride] = [0, matrix, 1]
      for (let axis = rank - 1; axis >= 0; axis--) {
        const own = dimension(shape, axis)
        at += (own === 1 ? 0 : rest % batch[axis]!) * stride
        rest = Math.floor(rest / batch[axis]!)
        stride *= own
      }
      return at
    }
    const [atA, atB] = [start(rows) * m * k, start(cols) * k * n]
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 0
        for (let p = 0; p < k; p++) {
          const x = left[atA + (options.transposeA ? p * m + i : i * k + p)]!
          sum += x * right[atB + (options.transposeB ? j * k + p : p * n + j)]!
        }
        sum += bias === undefined ? 0 : bias[j]!
        result.push(options.activation === 'relu' && sum <= 0 ? 0 : sum)
      }
    }
  }
  return result
}

const plain = async (x: Tensor): Promise<number[]> => [...(await x.data())]
const transposes = [
  { transposeA: false, transposeB: false },
  { transposeA: false, transposeB: true },
  { transposeA: true, transposeB: false },
  { transposeA: true, transposeB: true },
]
const stored = (rows: number, cols: number, transposed: boolean): number[] => (transposed ? [cols, rows] : [rows, cols])

test('sizes round every tile edge are exact, in all four transposes and both dtypes', async (t) => {
  const sizes: [number, number, number][] = [
    [1, 1, 1],
    [2, 3, 5],
    [7, 17, 31],
    [31, 7, 63],
    [63, 65, 127],
    [129, 127, 65],
    [1, 129, 63],
    [129, 1, 2],
    [13, 33, 1030],
  ]
  for (const [m, n, k] of sizes) {
    for (const options of transposes) {
      for (const dtype of ['float32', 'float64'] as const) {
        const a = integers(stored(m, k, options.transposeA), 1, dtype)
        const b = integers(stored(k, n, options.transposeB), 2, dtype)
        const y = matmul(a, b, options)
        t.deepEqual(y.shape, [m, n])
        t.is(y.dtype, dtype)
        t.deepEqual(await plain(y), await naive(a, b, options), `${m} x ${n} x ${k} ${JSON.stringify(options)}`)
      }
    }
  }
})

test('vectors count as a row on the left and as a column on the right', async (t) => {
  const matrix = tensor([[1, 2, 3], [4, 5, 6]]) // biome-ignore format: a matrix
  const vector = tensor([1, 0, -1])
  t.deepEqual(await matmul(matrix, vector).array(), [-2, -2])
  t.deepEqual(await matmul(vector, matrix, { transposeB: true }).array(), [-2, -2])
  t.deepEqual(await matmul(vector, tensor([[1, 2], [3, 4], [5, 6]])).array(), [-4, -4]) // biome-ignore format: a matrix
  t.is(await matmul(vector, vector).item(), 2)
  t.deepEqual(matmul(vector, vector).shape, [])
  const batch = integers([4, 2, 3], 1)
  t.deepEqual(matmul(batch, vector).shape, [4, 2])
  t.deepEqual(await plain(matmul(batch, vector)), await naive(batch, vector))
  t.deepEqual(matmul(tensor([1, 2]), batch).shape, [4, 3])
  t.deepEqual(await plain(matmul(tensor([1, 2]), batch)), await naive(tensor([1, 2]), batch))
})

test('nothing to multiply gives empty results, nothing to sum gives zeros plus the bias', async (t) => {
  const empty = (shape: number[]): Tensor => tensor([], { shape })
  t.deepEqual(matmul(empty([0, 3]), integers([3, 4], 1)).shape, [0, 4])
  t.deepEqual(await matmul(empty([2, 0]), empty([0, 3])).array(), [[0, 0, 0], [0, 0, 0]]) // biome-ignore format: a matrix
  t.deepEqual(await matmul(empty([2, 0]), empty([0, 2]), { bias: tensor([1, -2]), activation: 'relu' }).array(), [
    [1, 0],
    [1, 0],
  ])
  t.deepEqual(matmul(integers([2, 3], 1), empty([3, 0])).shape, [2, 0])
  t.deepEqual(matmul(empty([0, 2, 3]), integers([3, 4], 1)).shape, [0, 2, 4])
  t.deepEqual(matmul(empty([0, 2, 3]), integers([1, 3, 4], 1)).shape, [0, 2, 4])
  t.is(await matmul(empty([0]), empty([0])).item(), 0)
})

test('gradients of empty products are zeros of the right shape', async (t) => {
  const w = variable(integers([3, 4], 1))
  const bias = variable(integers([4], 2))
  const y = matmul(tensor([], { shape: [0, 3] }), w, { bias })
  const gradients = backward(matmul(reshape(y, [0]), tensor([])))
  t.deepEqual(await plain(gradients.get(w)), new Array(12).fill(0))
  t.deepEqual(await plain(gradients.get(bias)), [0, 0, 0, 0])
})

test('batches broadcast as in NumPy', async (t) => {
  for (const [left, right] of [
    [[5], [5]],
    [[5], []],
    [[], [5]],
    [
      [2, 1, 3],
      [4, 1],
    ],
    [[1], [3]],
    [[3], [1]],
    [[2, 3], [3]],
    [
      [1, 1],
      [2, 2],
    ],
  ] as [number[], number[]][]) {
    for (const options of transposes) {
      const a = integers([...left, ...stored(3, 5, options.transposeA)], 1)
      const b = integers([...right, ...stored(5, 4, options.transposeB)], 2)
      const y = matmul(a, b, { ...options, bias: tensor([1, 2, 3, 4]), activation: 'relu' })
      const expected = await naive(a, b, { ...options, bias: tensor([1, 2, 3, 4]), activation: 'relu' })
      t.deepEqual(await plain(y), expected, `${left} with ${right}`)
    }
  }
  t.deepEqual(matmul(integers([2, 1, 3, 3, 5], 1), integers([4, 1, 5, 4], 1)).shape, [2, 4, 3, 3, 4])
})

test('a factor that is broadcast a million times is not copied, and neither is its gradient', async (t) => {
  const a = variable(tensor(new Float32Array(1e6 * 4).fill(1), { shape: [1_000_000, 1, 4] }))
  const b = variable(tensor([[1], [2], [3], [4]]))
  const before = memory().bytes
  const y = matmul(a, b)
  t.true(memory().bytes - before < 5e6)
  const gradients = backward(matmul(reshape(y, [1_000_000]), tensor(new Float32Array(1e6).fill(1))))
  t.deepEqual(((await y.data()) as Float32Array).subarray(-2), Float32Array.of(10, 10))
  t.deepEqual(await plain(gradients.get(b)), [1e6, 1e6, 1e6, 1e6])
})

test('a NaN or an infinity is never hidden by a zero and stays in its row or column', async (t) => {
  for (const odd of [Number.NaN, Infinity, -Infinity]) {
    for (const [m, n, k] of [
      [3, 2, 2],
      [40, 70, 300],
      [1, 1, 9000],
    ] as const) {
      // biome-ignore format: three sizes
      const values = new Float32Array(m * k)
      values[(m - 1) * k] = odd
      const zeros = tensor(new Float32Array(k * n), { shape: [k, n] })
      const y = await plain(matmul(tensor(values, { shape: [m, k] }), zeros))
      t.true(y.every((value, at) => Number.isNaN(value) === at >= (m - 1) * n))
      const swapped = matmul(tensor(values, { shape: [m, k] }), zeros, {
        bias: tensor(new Float32Array(n)),
        activation: 'relu',
      })
      t.deepEqual(await plain(swapped), y)
    }
  }
})

test('denormal numbers are kept', async (t) => {
  const tiny = 2 ** -140
  const y = matmul(tensor([[tiny, tiny]]), tensor([[1], [2]]))
  t.is(await y.item(), 3 * tiny)
})

test('sixteen million products stay within the error bound of blocked sums', async (t) => {
  const k = 2 ** 24 + 1
  const a = tensor(new Float32Array(k).fill(0.1))
  const b = tensor(new Float32Array(k).fill(1))
  const exact = Math.fround(0.1) * k
  const y = await matmul(a, b).item()
  t.true(Math.abs(y - exact) < 1e-3 * exact, `${y} for ${exact}`)
})

test.serial('bits do not depend on the number of threads', async (t) => {
  const before = threads()
  const a = tensor(Float32Array.from((await numbers([300, 700], 1).data()) as Float64Array), { shape: [300, 700] })
  const b = tensor(Float32Array.from((await numbers([700, 90], 2).data()) as Float64Array), { shape: [700, 90] })
  const results: number[][] = []
  for (const count of [1, 2, 5]) {
    setThreads(count)
    results.push(await plain(matmul(a, b)))
  }
  setThreads(before)
  t.deepEqual(results[1], results[0])
  t.deepEqual(results[2], results[0])
})

test('gradients agree with finite differences through every option', async (t) => {
  for (const options of transposes) {
    for (const activation of [undefined, 'relu'] as const) {
      const a = numbers(stored(3, 4, options.transposeA), 1)
      const b = numbers(stored(4, 2, options.transposeB), 2)
      const check = await gradCheck(
        (a, b, bias) => matmul(a!, b!, { ...options, bias, activation }),
        [a, b, numbers([2], 3)],
      )
      t.true(check.passed, `${JSON.stringify(options)} ${activation}: ${check.perInput}`)
    }
  }
})

const activations = { elu, gelu, leakyRelu, relu, sigmoid, softplus, swish, tanh } satisfies Record<
  Activation,
  (x: Tensor) => Tensor
>

test('every activation is that of the op with its name, and so is its gradient', async (t) => {
  for (const [name, op] of Object.entries(activations)) {
    const activation = name as Activation
    const [a, b, bias] = [numbers([5, 4], 1), numbers([4, 3], 2), numbers([3], 3)]
    t.deepEqual(await plain(matmul(a, b, { bias, activation })), await plain(op(matmul(a, b, { bias }))), name)
    const check = await gradCheck((a, b, bias) => matmul(a!, b!, { bias, activation }), [a, b, bias])
    t.true(check.passed, `${name}: ${check.perInput}`)
  }
})

test('what an activation is applied to is freed with the graph', (t) => {
  const [x, w] = [numbers([5, 4], 1), variable(numbers([4, 3], 2))]
  const before = memory().tensors
  const y = matmul(x, w, { activation: 'gelu' })
  y.dispose()
  t.is(memory().tensors, before)
})

test('gradients agree with finite differences for vectors and broadcast batches', async (t) => {
  const shapes: [number[], number[]][] = [
    [[4], [4]],
    [[3, 4], [4]],
    [[4], [4, 3]],
    [[2, 3, 4], [4]],
    [[4], [2, 4, 3]],
    [
      [2, 3, 4],
      [4, 2],
    ],
    [
      [3, 4],
      [2, 4, 2],
    ],
    [
      [2, 1, 3, 4],
      [3, 4, 2],
    ],
    [
      [2, 2, 3, 4],
      [2, 2, 4, 2],
    ],
    [
      [2, 1, 3, 4],
      [1, 2, 4, 2],
    ],
  ]
  for (const [left, right] of shapes) {
    const { passed, perInput } = await gradCheck((a, b) => matmul(a!, b!), [numbers(left, 1), numbers(right, 2)])
    t.true(passed, `${left} with ${right}: ${perInput}`)
  }
  for (const options of transposes) {
    const a = numbers([2, 1, ...stored(3, 4, options.transposeA)], 1)
    const b = numbers([2, ...stored(4, 2, options.transposeB)], 2)
    const { passed, perInput } = await gradCheck((a, b) => matmul(a!, b!, options), [a, b])
    t.true(passed, `${JSON.stringify(options)}: ${perInput}`)
  }
})

test('float32 gradients are those of float64, bit by bit, in integers', async (t) => {
  const gradientsIn = async (dtype: DType): Promise<number[][]> => {
    const [m, n, k] = [64, 40, 90]
    const a = variable(integers([m, k], 1, dtype))
    const b = variable(integers([k, n], 2, dtype))
    const bias = variable(integers([n], 3, dtype))
    const y = matmul(a, b, { bias, activation: 'relu' })
    const weights = integers([m * n], 4, dtype)
    const gradients = backward(matmul(reshape(y, [m * n]), weights))
    return Promise.all([a, b, bias].map((x) => plain(gradients.get(x))))
  }
  t.deepEqual(await gradientsIn('float32'), await gradientsIn('float64'))
})

test('the same tensor twice has the gradient of both factors', async (t) => {
  const x = numbers([3, 3], 1)
  t.true((await gradCheck((x) => matmul(x!, x!), [x])).passed)
  t.true((await gradCheck((x) => matmul(x!, x!, { transposeB: true }), [x])).passed)
  const two = tensor([[1, 2], [3, 4]]) // biome-ignore format: a matrix
  t.deepEqual(await matmul(two, two).array(), [[7, 10], [15, 22]]) // biome-ignore format: a matrix
})

test('a fused relu is the relu of the product', async (t) => {
  const [a, b, bias] = [integers([17, 33], 1), integers([33, 9], 2), integers([9], 3)]
  t.deepEqual(await plain(matmul(a, b, { bias, activation: 'relu' })), await plain(relu(matmul(a, b, { bias }))))
})

test('a disposed input of the forward pass does not disturb its gradient', async (t) => {
  const w = variable(tensor([[2], [3]]))
  const x = tensor([[5, 7]])
  const y = matmul(x, w)
  x.dispose()
  t.deepEqual(await plain(backward(y).get(w)), [5, 7])
})

test('shapes that do not fit are named with the way out', (t) => {
  const of = (...shape: number[]): Tensor => tensor(new Float32Array(size(shape)), { shape })
  const shapeError = (run: () => Tensor, message: string): void => {
    t.throws(run, { instanceOf: ShapeError, code: 'ERR_SHAPE', message })
  }
  shapeError(
    () => matmul(of(2, 3), of(4, 5)),
    'matmul: the rows of a have 3 numbers, but the columns of b have 4. a [2, 3], b [4, 5]',
  )
  shapeError(
    () => matmul(of(2, 3), of(2, 3)),
    'matmul: the rows of a have 3 numbers, but the columns of b have 2. a [2, 3], b [2, 3]. transposeA or transposeB would make them fit',
  )
  shapeError(
    () => matmul(of(2, 3), of(3, 5), { transposeA: true }),
    'matmul: the rows of a have 2 numbers, but the columns of b have 3. a [2, 3] transposed, b [3, 5]. without transposeA they fit',
  )
  shapeError(
    () => matmul(tensor(2), of(3, 5)),
    'matmul: a is a scalar, but a matrix product needs axes. a [], b [3, 5]. use mul',
  )
  shapeError(
    () => matmul(of(3, 5), tensor(2)),
    'matmul: b is a scalar, but a matrix product needs axes. a [3, 5], b []. use mul',
  )
  shapeError(
    () => matmul(of(3), of(3, 5), { transposeA: true }),
    'matmul: a is a vector, which transposeA cannot transpose. a [3], b [3, 5]',
  )
  shapeError(
    () => matmul(of(3, 5), of(5), { transposeB: true }),
    'matmul: b is a vector, which transposeB cannot transpose. a [3, 5], b [5]',
  )
  shapeError(
    () => matmul(of(4, 2, 3), of(5, 3, 2)),
    'matmul: the axes before the matrices do not broadcast: 4 and 5. a [4, 2, 3], b [5, 3, 2]. they must be equal, or one of them 1',
  )
  shapeError(
    () => matmul(of(2, 3), of(3, 4), { bias: of(4, 1) }),
    'matmul: bias must have one number for each of 4 columns, shape [4]. bias [4, 1], b [3, 4]',
  )
  shapeError(
    () => matmul(of(2, 3), of(3, 4), { bias: of(3) }),
    'matmul: bias must have one number for each of 4 columns, shape [4]. bias [3], b [3, 4]',
  )
  shapeError(
    () => matmul(of(2, 3), of(3), { bias: of(1) }),
    'matmul: a bias needs columns, but b is a vector. a [2, 3], b [3], bias [1]',
  )
})

test('dtypes that do not fit are named', (t) => {
  const one = (dtype: DType): Tensor => tensor([[1]], { dtype })
  const dtypeError = (run: () => Tensor, message: string): void => {
    t.throws(run, { instanceOf: DTypeError, code: 'ERR_DTYPE', message })
  }
  dtypeError(
    () => matmul(one('float32'), one('float64')),
    "matmul: a has dtype float32, but b has float64. cast one: cast(b, { dtype: 'float32' })",
  )
  for (const dtype of ['int32', 'uint8'] as const) {
    dtypeError(
      () => matmul(one(dtype), one(dtype)),
      `matmul: a has dtype ${dtype}, but the op computes on float32 and float64. cast it first: cast(a, { dtype: 'float32' })`,
    )
  }
  dtypeError(
    () => matmul(one('float64'), one('float64'), { bias: tensor([1]) }),
    "matmul: a has dtype float64, but bias has float32. cast one: cast(bias, { dtype: 'float64' })",
  )
})

test('what is no tensor or no option is refused', (t) => {
  const x = tensor([[1]])
  const typeError = (run: () => unknown, message: string): void => {
    t.throws(run, { instanceOf: TypeError, message })
  }
  const wrong: [unknown, string][] = [
    [[[1]], '[[1]]'],
    [null, 'null'],
    [undefined, 'undefined'],
    [3, '3'],
  ]
  for (const [value, shown] of wrong) {
    const [a, b] = [value as Tensor, value as Tensor]
    typeError(() => matmul(a, x), `matmul: a must be a Tensor. got ${shown}. make one with tensor(values)`)
    typeError(() => matmul(x, b), `matmul: b must be a Tensor. got ${shown}. make one with tensor(values)`)
  }
  const gone = tensor([[1, 2]])
  gone.dispose()
  typeError(
    () => matmul(x, gone),
    'matmul: b is disposed (it had shape [1, 2]). return it from scope() to keep it, or dispose it later',
  )
  const options = (value: unknown): MatmulOptions => value as MatmulOptions
  typeError(() => matmul(x, x, options(null)), 'matmul: options must be an object. got null')
  typeError(() => matmul(x, x, options(true)), 'matmul: options must be an object. got true')
  typeError(() => matmul(x, x, options({ transposeA: 1 })), 'matmul: transposeA must be a boolean. got 1')
  typeError(() => matmul(x, x, options({ transposeB: 'no' })), 'matmul: transposeB must be a boolean. got "no"')
  typeError(
    () => matmul(x, x, options({ bias: [1] })),
    'matmul: bias must be a Tensor. got [1]. make one with tensor(values)',
  )
  typeError(
    () => matmul(x, x, options({ activation: 'toString' })),
    "matmul: activation must be 'elu', 'gelu', 'leakyRelu', 'relu', 'sigmoid', 'softplus', 'swish', 'tanh' or left out. got \"toString\"",
  )
})

test('results too large for memory are a RangeError', async (t) => {
  const [left, right] = [tensor([], { shape: [2 ** 20, 0] }), tensor([], { shape: [0, 2 ** 20] })]
  t.throws(() => matmul(left, right), {
    instanceOf: RangeError,
    message: /^no memory for a float32 tensor of shape \[1048576, 1048576\]: it takes 4398046511104 bytes, /,
  })
  t.throws(() => matmul(tensor([], { shape: [2 ** 30, 0] }), tensor([], { shape: [0, 2 ** 30] })), {
    instanceOf: RangeError,
    message: 'matmul: a tensor holds at most 2^40 elements. got shape [1073741824, 1073741824]',
  })
  t.is(await matmul(tensor([2]), tensor([3])).item(), 6)
})
