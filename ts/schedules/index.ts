// The namespace `schedules`.

export { type CosineDecayOptions, cosineDecay, type RestartOptions } from './cosine-decay.js'
export { type ExponentialDecayOptions, exponentialDecay } from './exponential-decay.js'
export { type OneOverTOptions, oneOverT } from './one-over-t.js'
export { type PiecewiseOptions, piecewise } from './piecewise.js'
export type { BuiltInSchedule, Schedule, ScheduleConfig } from './schedule.js'
export { type StepDecayOptions, stepDecay } from './step-decay.js'
export { type WarmupOptions, warmup } from './warmup.js'
