"""Trained models that come with the package."""

from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.models.curve_regressor import CurveRegressor
from latent_nmr.models.fitted import FittedRegressor
from latent_nmr.models.persistence import read_card
from latent_nmr.models.posterior.echo_posterior import EchoPosterior
from latent_nmr.models.posterior.fitted import FittedPosterior
from latent_nmr.shipped import shipped_path


def load_pretrained(name: str) -> BetaVAE | CurveRegressor | EchoPosterior:
    """Load a model that comes with the package, after its files were checked.

    Parameters
    ----------
    name : str
        `echo` and `full` are β-VAEs of two axes, fitted on 12,000 simulated echoes: on the 400
        samples around the echo, and on whole curves of 1882. `polar-60` and `polar-pair` are those
        of four axes that learned from 3,000 materials with two curves each: of amplitude and local
        frequency after a pulse of 60°, and of a pair of echoes of 60° and 120°. `measured-echo`
        and `measured-echo-m0`, of four axes, are those that measured records are looked at with.
        `challenge-gauss` and `challenge-rkky` are the networks that predict the three parameters
        of the ML4SCI challenge of 2021 from Re and Im of M. `posterior` and `posterior-echo` are
        posteriors of whole records and of |M| about the top of an echo, after first pulses of 30°
        to 150°.

    Returns
    -------
    BetaVAE, CurveRegressor or EchoPosterior

    Raises
    ------
    InputError
        If no model has that name, or its files are not those that were published.

    See Also
    --------
    load_reference : Echoes to try them on.

    Examples
    --------
    >>> import latent_nmr as ln
    >>> model = ln.load_pretrained("echo")
    >>> X = ln.features(ln.load_reference(n_curves=3), window="echo")
    >>> model.transform(X).shape
    (3, 2)
    """
    place = shipped_path("models", name)
    kinds = {FittedRegressor: CurveRegressor, FittedPosterior: EchoPosterior}
    return kinds.get(type(read_card(place).model), BetaVAE).load(place)
