// Reads the binary version of CIFAR-10: each image is a byte for its label and 32 × 32 bytes for each of red, green, blue.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { tensor } from 'ferrograd'

const classNames = 'airplane automobile bird cat deer dog frog horse ship truck'.split(' ')
const [PIXELS, CHANNELS] = [32 * 32, 3]
const RECORD = 1 + PIXELS * CHANNELS

/** The 50,000 training images, float32 pixels from 0 to 255 `[N, 32, 32, 3]`, out of the files data_batch_1.bin to 5. */
export async function readCifar10(folder: string) {
  const files = [1, 2, 3, 4, 5].map((number) => join(folder, `data_batch_${number}.bin`))
  const bytes = Buffer.concat(await Promise.all(files.map((file) => readFile(file))))
  const count = bytes.length / RECORD
  const pixels = new Float32Array(count * PIXELS * CHANNELS)
  const labels = Int32Array.from({ length: count }, (_, image) => bytes[image * RECORD]!)
  for (let image = 0; image < count; image++) {
    for (let channel = 0; channel < CHANNELS; channel++) {
      const from = image * RECORD + 1 + channel * PIXELS
      const to = image * PIXELS * CHANNELS + channel
      for (let pixel = 0; pixel < PIXELS; pixel++) pixels[to + pixel * CHANNELS] = bytes[from + pixel]!
    }
  }
  return { images: tensor(pixels, { shape: [count, 32, 32, CHANNELS] }), labels: tensor(labels), classNames }
}
