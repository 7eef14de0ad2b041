// The namespace `datasets`.

export { cifar10 } from './cifar10.js'
export { type CsvDataset, type CsvOptions, type CsvPart, csv } from './csv.js'
export type { ColumnType } from './csv-column.js'
export type { Dataset, DatasetPart } from './dataset.js'
export { digits } from './digits.js'
export type { DownloadOptions } from './download-options.js'
export { type ImageFolderDataset, type ImageFolderOptions, imageFolder } from './image-folder.js'
export type { ImageFolder } from './image-folder-part.js'
export { fashionMnist, type MnistOptions, mnist } from './mnist.js'
export { type SpiralOptions, spiral } from './spiral.js'
