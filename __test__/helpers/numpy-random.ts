// NumPy's legacy generator, `np.random.seed` and `np.random.randn`, so that the course's draws can be made anew.
//
// Source: the Mersenne Twister, Matsumoto and Nishimura 1998; normal numbers by Marsaglia's polar method.

const [SIZE, MIDDLE] = [624, 397]

export class NumpyRandom {
  private readonly state = new Uint32Array(SIZE)
  private at = SIZE
  private spare: number | undefined

  constructor(seed: number) {
    this.state[0] = seed
    for (let i = 1; i < SIZE; i++) {
      const before = this.state[i - 1]!
      this.state[i] = Math.imul(1812433253, before ^ (before >>> 30)) + i
    }
  }

  /** Standard normal numbers. */
  randn(...shape: number[]): number[] {
    return Array.from({ length: shape.reduce((product, dimension) => product * dimension, 1) }, () => this.normal())
  }

  private normal(): number {
    if (this.spare !== undefined) {
      const value = this.spare
      this.spare = undefined
      return value
    }
    for (;;) {
      const [x, y] = [2 * this.uniform() - 1, 2 * this.uniform() - 1]
      const square = x * x + y * y
      if (square >= 1 || square === 0) continue
      const scale = Math.sqrt((-2 * Math.log(square)) / square)
      this.spare = scale * x
      return scale * y
    }
  }

  /** From 0 up to 1, with 53 bits. */
  private uniform(): number {
    const [high, low] = [this.word() >>> 5, this.word() >>> 6]
    return (high * 2 ** 26 + low) / 2 ** 53
  }

  private word(): number {
    if (this.at === SIZE) this.refill()
    let word = this.state[this.at++]!
    word ^= word >>> 11
    word ^= (word << 7) & 0x9d2c5680
    word ^= (word << 15) & 0xefc60000
    return (word ^ (word >>> 18)) >>> 0
  }

  private refill(): void {
    for (let i = 0; i < SIZE; i++) {
      const mixed = (this.state[i]! & 0x80000000) | (this.state[(i + 1) % SIZE]! & 0x7fffffff)
      this.state[i] = this.state[(i + MIDDLE) % SIZE]! ^ (mixed >>> 1) ^ (mixed & 1 ? 0x9908b0df : 0)
    }
    this.at = 0
  }
}
