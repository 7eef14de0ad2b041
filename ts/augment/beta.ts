// Random numbers of the beta distribution.

/** Numbers from 0 up to but not including 1. */
interface Random {
  next(): number
}

/** A number from 0 to 1 of the distribution Beta(α, α): the share of one of two gamma numbers. */
export function beta(random: Random, alpha: number): number {
  const difference = logGamma(random, alpha) - logGamma(random, alpha)
  return 1 / (1 + Math.exp(-difference))
}

/**
 * The logarithm of a gamma number of shape α (Marsaglia and Tsang 2000). Of small α the numbers themselves are too small
 * for a double.
 */
function logGamma(random: Random, alpha: number): number {
  if (alpha < 1) return logGamma(random, alpha + 1) + Math.log(1 - random.next()) / alpha
  const d = alpha - 1 / 3
  for (;;) {
    const z = normal(random)
    const v = (1 + z / Math.sqrt(9 * d)) ** 3
    const u = 1 - random.next()
    if (v > 0 && Math.log(u) < z ** 2 / 2 + d - d * v + d * Math.log(v)) return Math.log(d) + Math.log(v)
  }
}

/** A standard normal number (Box and Muller 1958). */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next())
}
