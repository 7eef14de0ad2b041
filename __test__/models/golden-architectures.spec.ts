// Whole networks at full size against PyTorch's logits, from the same weights bit for bit; and that training VGG-16
// takes the memory it says.
import test, { type ExecutionContext } from 'ava'
import { backward, losses, type Model, memory, models, optimizers, scope, tensor } from 'ferrograd'
import { formulaImage, formulaTensor, withFormulaWeights } from '../helpers/formula.js'
import { float32From, readFixture, worstDifference } from '../helpers/golden.js'

interface Golden {
  models: Record<string, { numbers: number; arrays: number; logits: string }>
}

const golden = readFixture<Golden>('architectures')

async function checkLogits(t: ExecutionContext, name: string, net: Model, size: number): Promise<void> {
  const { numbers, arrays, logits } = golden.models[name]!
  t.is(net.countParams(), numbers)
  t.is(net.weights.length, arrays)
  using y = net.forward(formulaImage([1, size, size, 3]))
  t.deepEqual(y.shape, [1, 1000])
  const worst = worstDifference(await y.data(), float32From(logits))
  t.log(`${name}: off by ${worst.toExponential(1)} of the logits' root mean square`)
  // Float32 against float64 through up to 21 layers. Any wrong order of weights or pixels is off by about 1.
  t.true(worst <= 1e-4, `off by ${worst.toExponential(2)} of the root mean square`)
}

test('the formula gives the numbers it gives in Python', async (t) => {
  t.deepEqual(
    [...(await formulaTensor(3, [4], 0.5, 1).data())],
    [1.4123072624206543, 1.3828719854354858, 0.5877659916877747, 1.234104871749878],
  )
})

test.serial('VGG-16 at 224 x 224 has the logits of PyTorch, and trains in the memory it says', async (t) => {
  const inputShape = [224, 224, 3]
  using net = withFormulaWeights(() => models.vgg16({ inputShape, classes: 1000 }))
  t.is(net.countParams(), 138_357_544)
  t.is(net.layers.filter(({ kind }) => kind === 'conv2d').length, 13)
  t.is(net.layers.filter(({ kind }) => kind === 'dense').length, 3)
  await checkLogits(t, 'vgg16', net, 224)

  const [x, y] = [formulaImage([1, ...inputShape]), tensor([7], { dtype: 'int32' })]
  const optimizer = optimizers.sgd({ learningRate: 1e-5 })
  const step = async () => {
    const loss = scope(() => {
      const loss = losses.softmaxCrossEntropy(net.forward(x, { training: true }), y)
      optimizer.step(backward(loss))
      return loss
    })
    const value = await loss.item()
    loss.dispose()
    return value
  }
  const bias = await net.weights.at(-1)!.data()
  t.true((await step()) > 0)
  t.notDeepEqual(await net.weights.at(-1)!.data(), bias)
  const { tensors, bytes, poolBytes } = memory()
  // Weights and gradients, and what the summary says for an example; blocks are larger than what they hold, by an eighth at most.
  const said = 2 * 4 * net.countParams() + 125e6
  t.true(bytes + poolBytes < 1.125 * said, `${bytes + poolBytes} bytes instead of ${said}`)
  await step()
  t.deepEqual([memory().tensors, memory().bytes], [tensors, bytes])
  t.true(memory().poolBytes - poolBytes < 1e6, 'a second step takes no more memory')
})

test.serial('AlexNet at 227 x 227 has the logits of PyTorch', async (t) => {
  using net = withFormulaWeights(() => models.alexNet({ inputShape: [227, 227, 3], classes: 1000 }))
  await checkLogits(t, 'alexNet', net, 227)
})

test.serial('ResNet-18 at 224 x 224 has the logits of PyTorch in inference', async (t) => {
  using net = withFormulaWeights(() => models.resNet18({ inputShape: [224, 224, 3], classes: 1000 }))
  await checkLogits(t, 'resNet18', net, 224)
})
