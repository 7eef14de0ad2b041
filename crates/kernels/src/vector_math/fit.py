"""Prints the coefficients of vector_math.rs. Needs mpmath and numpy.

Minimax fits by Lawson's reweighting (1961), of quotients through the linear form p - y q divided by the last q
(Sanathanan and Koerner, 1963). Coefficients are rounded to float32 one after the other, and those that are left fitted anew.
"""

import mpmath
import numpy

mpmath.mp.dps = 40
UNIT = 2.0**-24


def nodes(low, high, count):
    return low + (high - low) * (1 - numpy.cos(numpy.pi * (numpy.arange(count) + 0.5) / count)) / 2


def exact(function, xs):
    return numpy.array([float(function(mpmath.mpf(float(x)))) for x in xs])


def lawson(columns, target, weight, rounds=60):
    """Coefficients c that make the largest |columns c - target| * weight least."""
    shares = numpy.ones(len(target))
    best, least = None, numpy.inf
    for _ in range(rounds):
        scale = numpy.sqrt(shares) * weight
        c = numpy.linalg.lstsq(columns * scale[:, None], target * scale, rcond=None)[0]
        errors = numpy.abs(columns @ c - target) * weight
        if errors.max() < least:
            best, least = c, errors.max()
        shares *= errors / errors.max() + 1e-6
        shares /= shares.sum()
    return best


def rounded_polynomial(xs, powers, target, weight):
    """Float32 coefficients of the powers, lowest first, and the largest weighted error that they leave."""
    powers, rest, found = list(powers), target.copy(), []
    while powers:
        c = lawson(numpy.stack([xs**k for k in powers], 1), rest, weight)
        found.append(numpy.float32(c[0]))
        rest = rest - float(found[-1]) * xs ** powers.pop(0)
    return found, numpy.abs(rest * weight).max()


def quotient(xs, ys, over, under, allowed, rounds=600):
    """q(0) = 1 and its coefficients, of a p / q with p(0) = y(0) = 1/2 and these degrees; errors count relative to
    `allowed`."""
    q, shares = numpy.ones_like(xs), numpy.ones_like(xs)
    best, least = None, numpy.inf
    for _ in range(rounds):
        scale = numpy.sqrt(shares) / (ys * q * allowed)
        columns = [xs**k for k in range(1, over + 1)] + [-ys * xs**k for k in range(1, under + 1)]
        columns = numpy.stack(columns, 1) * scale[:, None]
        size = numpy.linalg.norm(columns, axis=0)
        c = numpy.linalg.lstsq(columns / size, (ys - 0.5) * scale, rcond=None)[0] / size
        p = 0.5 + sum(c[k - 1] * xs**k for k in range(1, over + 1))
        q = 1 + sum(c[over + k - 1] * xs**k for k in range(1, under + 1))
        errors = numpy.abs(p / q / ys - 1) / allowed
        if (q > 0).all() and errors.max() < least:
            best, least = numpy.concatenate([[1], c[over:]]), errors.max()
        shares *= errors / errors.max() + 1e-4
        shares /= shares.sum()
        q = numpy.abs(q)
    return [numpy.float32(c) for c in best]


def show(name, coefficients, error):
    print(name, *(numpy.format_float_positional(c, unique=True) for c in coefficients), f"error {error / UNIT:.2f} * 2^-24")


def exponential():
    limit = numpy.log(2) / 2 * 1.001
    xs = nodes(-limit, limit, 400)
    show("exp_curve", *rounded_polynomial(xs, range(2, 7), exact(lambda x: mpmath.expm1(x) - x, xs), numpy.exp(-xs)))


def mills():
    """Nearest around 0: beyond 1 float32 has other errors, and beyond 5 hardly anything depends on it."""
    xs = numpy.unique(numpy.concatenate([nodes(0, 14.46, 500), nodes(0, 3, 300)]))
    ys = exact(lambda x: mpmath.ncdf(-x) * mpmath.exp(x**2 / 2), xs)
    allowed = numpy.minimum(1 + xs**2, 20)
    q = quotient(xs, ys, 3, 4, allowed)
    values = sum(float(c) * xs**k for k, c in enumerate(q))
    p, error = rounded_polynomial(xs, range(1, 4), ys * values - 0.5, 1 / (ys * values * allowed))
    show("p", [numpy.float32(0.5), *p], error)
    show("q", q, error)


exponential()
mills()
