// What well-known networks are made of: VGG-16 row by row, as on the course's slides, and how large the others are.
import { models } from 'ferrograd'

const image = { inputShape: [224, 224, 3], classes: 1000 }

{
  using vgg16 = models.vgg16(image)
  vgg16.summary()
}

const networks = {
  'linear classifier, CIFAR-10': () => models.linearClassifier({ inputShape: [32, 32, 3], classes: 10 }),
  'LeNet-5, digits': () => models.lenet5({ inputShape: [28, 28, 1], classes: 10 }),
  AlexNet: () => models.alexNet({ ...image, inputShape: [227, 227, 3] }),
  'VGG-11': () => models.vgg11(image),
  'VGG-19': () => models.vgg19(image),
  'ResNet-18': () => models.resNet18(image),
  'ResNet-34': () => models.resNet34(image),
  'ResNet-50': () => models.resNet50(image),
  'ResNet-18, CIFAR-10': () => models.resNet18({ inputShape: [32, 32, 3], classes: 10, smallImages: true }),
}

console.log('\nparameters that learn, and operations to classify one image')
for (const [name, build] of Object.entries(networks)) {
  using network = build()
  const parameters = network.trainableWeights.reduce((sum, { size }) => sum + size, 0)
  const flops = network.flops([null, ...(network.inputShape as number[]).slice(1)])!
  const megaflops = Math.round(flops / 1e5) / 10
  console.log(
    name.padEnd(28),
    parameters.toLocaleString('en').padStart(11),
    `${megaflops.toLocaleString('en')} MFLOPs`.padStart(16),
  )
}
