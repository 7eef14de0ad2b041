// The namespace `callbacks`.

export type { BatchLogs, Callback, Training } from './callback.js'
export { type Checkpoint, type CheckpointOptions, checkpoint } from './checkpoint.js'
export { type CsvLoggerOptions, csvLogger } from './csv-logger.js'
export { type EarlyStopping, type EarlyStoppingOptions, earlyStopping } from './early-stopping.js'
export { learningRateScheduler } from './learning-rate-scheduler.js'
export type { MonitorOptions } from './monitor.js'
export { type ProgressBarOptions, progressBar, type Terminal } from './progress-bar.js'
export { type ReduceOnPlateauOptions, reduceOnPlateau } from './reduce-on-plateau.js'
export { type TensorBoardOptions, tensorBoard } from './tensor-board.js'
