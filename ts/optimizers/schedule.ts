// A learning rate that changes with the steps.

/** What an optimizer asks before every step. `step` counts from 0. */
export interface Schedule {
  at(step: number): number
}
