"""The top of an echo, its two half widths and its frequency, from a fit of simple shapes.

The echo of a Lorentzian line is exp(-π FWHM |t - 2τ|), with a cusp at 2τ; that of a Gaussian line
a Gaussian; interactions make the two sides unequal. Each side is one of these, with a half width of
its own. Amplitude and phase follow from the others (variable projection).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

ComplexArray = npt.NDArray[np.complex128]
FloatArray = npt.NDArray[np.floating]

LN2 = float(np.log(2))
SECH = float(np.arccosh(2))
# h(x) at x half widths from the top, 1 there and 1/2 at x = 1; and w ∫ (dh/dt)² dt of one side.
SHAPES = {
    "exponential": (lambda x: np.exp(-LN2 * np.abs(x)), LN2 / 2),
    "gaussian": (lambda x: np.exp(-LN2 * x**2), float(np.sqrt(np.pi * LN2 / 8))),
    # Between the two: rounded at the top, as noise and an unequal field make it, with long tails.
    "sech": (lambda x: 1 / np.cosh(np.minimum(np.abs(SECH * x), 300)), SECH / 3),
}
# Samples to a half width that a fit needs, and half widths on either side of the echo.
SAMPLES, REACH = 12, 2.0
# Half widths are tried at these multiples of the pulse's own.
TRIED = 2.0 ** np.arange(-1.5, 1.6, 0.75)


@dataclass(frozen=True)
class EchoShape:
    """A fitted echo: times in µs from the first sample, `carrier` in MHz.

    `rise` and `decay` are the times from half the height to the top, and back.
    """

    name: str
    time: float
    rise: float
    decay: float
    carrier: float
    amplitude: complex

    def at(self, time: FloatArray) -> FloatArray:
        """Height at `time`, 1 at the top."""
        return _heights(self.name, time - self.time, self.rise, self.decay)

    def time_error(self, density: float, longest: float) -> float:
        """Standard error of `time` in noise of `density` per channel (Cramér and Rao).

        For a signal A h(t) in white noise 1/error² = (A²/density) ∫ (dh/dt)² dt, here with the
        phase known; `longest` is the most it can be.
        """
        if density <= 0:
            return 0.0
        slopes = SHAPES[self.name][1] * (1 / self.rise + 1 / self.decay)
        information = abs(self.amplitude) ** 2 / density * slopes
        return float(min(longest, 1 / np.sqrt(max(information, 1e-300))))


def _heights(name: str, elapsed: FloatArray, rise: float, decay: float) -> FloatArray:
    return SHAPES[name][0](elapsed / np.where(elapsed < 0, rise, decay))


def fit_shape(
    values: ComplexArray, dwell: float, time: float, carrier: float, width: float
) -> EchoShape:
    """Fit an echo near `time` (µs), `carrier` (MHz) and of about the full width `width` (µs)."""
    from scipy.optimize import minimize

    near, times = _slowed(values, dwell, time, carrier, width)
    starts = _starts(near, times, time, width / 2)

    def loss(x: FloatArray, name: str) -> float:
        rise, decay = np.exp(np.clip(x[2:], -30, 30))
        shape = _heights(name, times - np.clip(x[0], times[0], times[-1]), rise, decay)
        turned = shape * np.exp(2j * np.pi * x[1] / width * (times - time))
        return -float(np.abs(np.vdot(turned, near)) ** 2 / max(np.sum(shape**2), 1e-12))

    best = None
    for name in SHAPES:
        start = starts[name]
        simplex = np.array([start] * 5)
        simplex[1:] += np.diag([width / 8, 0.1, 0.3, 0.3])
        found = minimize(
            loss,
            start,
            args=(name,),
            method="Nelder-Mead",
            options={"initial_simplex": simplex, "xatol": 1e-4, "fatol": 1e-9, "maxiter": 250},
        )
        if best is None or found.fun < best[0]:
            best = (found.fun, name, found.x)
    assert best is not None
    top, turn, rise, decay = best[2]
    top = float(np.clip(top, times[0], times[-1]))
    limits = (dwell / 4, len(values) * dwell)
    shape = EchoShape(
        best[1],
        top,
        float(np.clip(np.exp(rise), *limits)),
        float(np.clip(np.exp(decay), *limits)),
        float(carrier + np.clip(turn, -1, 1) / width),
        0j,
    )
    return _with_amplitude(near, times, shape, carrier)


def plain_shape(
    values: ComplexArray, dwell: float, time: float, carrier: float, width: float
) -> EchoShape:
    """A Gaussian at the given place, of the height that the record has there."""
    near, times = _slowed(values, dwell, time, carrier, width)
    half = max(width / 2, dwell / 4)
    return _with_amplitude(
        near, times, EchoShape("gaussian", time, half, half, carrier, 0j), carrier
    )


def _with_amplitude(
    near: ComplexArray, times: FloatArray, shape: EchoShape, carrier: float
) -> EchoShape:
    """The shape with the height and phase that the slowed record has at its top."""
    heights = shape.at(times)
    turned = heights * np.exp(2j * np.pi * (shape.carrier - carrier) * (times - shape.time))
    amplitude = complex(np.vdot(turned, near) / max(np.sum(heights**2), 1e-12))
    # The record had been turned by the carrier since its first sample.
    amplitude *= np.exp(2j * np.pi * carrier * shape.time)
    return EchoShape(shape.name, shape.time, shape.rise, shape.decay, shape.carrier, amplitude)


def subtract_shape(values: ComplexArray, dwell: float, shape: EchoShape) -> ComplexArray:
    """A record without a fitted echo."""
    time = dwell * np.arange(len(values))
    turn = np.exp(2j * np.pi * shape.carrier * (time - shape.time))
    return values - shape.amplitude * shape.at(time) * turn


def _slowed(
    values: ComplexArray, dwell: float, time: float, carrier: float, width: float
) -> tuple[ComplexArray, FloatArray]:
    """The record about an echo, mixed down and averaged to a dozen samples per half width."""
    times = dwell * np.arange(len(values))
    turned = values * np.exp(-2j * np.pi * carrier * times)
    stride = max(1, int(width / (2 * SAMPLES * dwell)))
    chosen = np.flatnonzero(np.abs(times - time) <= REACH * width / 2 + 8 * dwell)
    chosen = chosen[: len(chosen) // stride * stride]
    near = turned[chosen].reshape(-1, stride).mean(axis=1)
    return near, times[chosen].reshape(-1, stride).mean(axis=1)


def _starts(
    near: ComplexArray, times: FloatArray, time: float, half: float
) -> dict[str, FloatArray]:
    """For each shape the best of a grid of tops and half widths, to begin a fit at."""
    found: dict[str, tuple[float, FloatArray]] = {}
    tops = times[np.abs(times - time) <= 2 * half]
    tops = tops if len(tops) else times[[np.argmin(np.abs(times - time))]]
    for name in SHAPES:
        for rise in half * TRIED:
            for decay in half * TRIED:
                shapes = _heights(name, times[:, None] - tops, rise, decay)
                gain = np.abs(near @ shapes) ** 2 / np.maximum(np.sum(shapes**2, axis=0), 1e-12)
                top = int(np.argmax(gain))
                start = np.array([tops[top], 0.0, np.log(rise), np.log(decay)])
                if name not in found or gain[top] > found[name][0]:
                    found[name] = (float(gain[top]), start)
    return {name: start for name, (_, start) in found.items()}
