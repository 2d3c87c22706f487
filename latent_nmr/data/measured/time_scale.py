"""Echoes of another τ than a model's: the equation of motion has no time of its own.

With all frequencies multiplied by s and all times divided by it, spins take the same course: |M|
depends on α t, FWHM t, cutoff t and R t only. An echo at 2τ is the model's echo with time
multiplied by τ_model/τ, of a material whose W, FWHM, cutoff and R are τ/τ_model times as large. A
model knows one FWHM, so that FWHM τ must be near that of its training.
"""

from latent_nmr.errors import InputError, check_number

# How far FWHM τ may be from that of a model, as a part of it.
FWHM_TOLERANCE = 0.1


def time_factor(pulse_separation: float, model_separation: float) -> float:
    """What times of a record are multiplied by to become a model's: τ_model/τ.

    What a model says of W, or of any other frequency, is multiplied by the same number to be the
    material's.

    Parameters
    ----------
    pulse_separation : float
        τ of the record, µs.
    model_separation : float
        τ of the model, µs; 628/(2π) = 99.95 of the preset `paper`.

    Returns
    -------
    float

    Examples
    --------
    >>> from latent_nmr.data.measured.time_scale import time_factor
    >>> W = 0.2 * time_factor(pulse_separation=50, model_separation=100)
    >>> W
    0.4
    """
    tau = check_number("pulse_separation", pulse_separation, above=0, unit="µs")
    return check_number("model_separation", model_separation, above=0, unit="µs") / tau


def check_fwhm(
    fwhm: float,
    pulse_separation: float,
    model_fwhm: float,
    model_separation: float,
    tolerance: float = FWHM_TOLERANCE,
) -> float:
    """FWHM of a line (MHz) as a model would see it, if it was trained on such a line.

    Raises
    ------
    InputError
        If FWHM τ differs from the model's by more than `tolerance`, as a part of it.

    Examples
    --------
    >>> from latent_nmr.data.measured.time_scale import check_fwhm
    >>> round(check_fwhm(0.1, 50, model_fwhm=0.05, model_separation=100), 3)
    0.05
    """
    width = check_number("fwhm", fwhm, above=0, unit="MHz")
    seen = width / time_factor(pulse_separation, model_separation)
    if abs(seen / model_fwhm - 1) > tolerance:
        product, known = width * pulse_separation, model_fwhm * model_separation
        raise InputError(
            f"fwhm times pulse_separation must be within {100 * tolerance:g} % of the model's, "
            f"{known:.3g}, but is {product:.3g}. Train a model on such curves: "
            f"ln.train(ln.simulate('paper', 6000, fwhm={seen:.3g}), window='top', "
            "normalisation='height', model=ln.BetaVAE.thorough(augment='spectrometer'))."
        )
    return seen
