"""Models that take part: those that come with the package by name, and regressors of any origin."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from latent_nmr.errors import InputError, check_choice
from latent_nmr.models.challenge_models import INPUTS, MODELS, make_model
from latent_nmr.models.curve_regressor import CurveRegressor
from latent_nmr.studies._estimators import by_name, check_estimator, seeded, unfitted_digest
from latent_nmr.studies._identity import digest_of
from latent_nmr.studies.challenge._editions import (
    INPUT_KINDS,
    MAGNITUDE_PART,
    OF_MAGNITUDE,
    Edition,
)

# The public deep network, whose epoch is chosen on the test part, as a public notebook did.
PEEKING, PEEKED = "peeking", "deep"
EXAMPLE = "Ridge()"


@dataclass(frozen=True)
class Contender:
    """One model.

    Attributes
    ----------
    name : str
    inputs : str
        What it sees of a curve.
    regressor : object or None
        Unfitted; None for a model that comes with the package.
    kind : str
        Name of that model.
    parameters : mapping
        What replaces arguments of its network.
    """

    name: str
    inputs: str
    regressor: Any = None
    kind: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def digest(self, edition: Edition, n_features: int, seed: int) -> str:
        """What identifies the estimator."""
        if self.regressor is not None:
            return unfitted_digest(self.regressor)
        return digest_of(self.make(edition, n_features, seed))

    def make(self, edition: Edition, n_features: int, seed: int) -> Any:
        """An unfitted estimator."""
        if self.regressor is not None:
            return seeded(self.regressor, seed)
        model = make_model(self.kind, edition.name, list(edition.targets), n_features, seed)
        if isinstance(model, CurveRegressor):
            if "hidden_layer_sizes" in self.parameters and not isinstance(model.activation, str):
                model.set_params(activation=None)  # the published ones, for any number of layers
            model.set_params(**self.parameters)
        return model


def contenders(models: Any, inputs: str, parameters: Mapping[str, Any] | None) -> list[Contender]:
    """Models as they were asked for, and beside the public deep network its peeking variant.

    Raises
    ------
    InputError
        For names that are unknown, repeated or reserved, and for what is no regressor.
    """
    parameters = dict(parameters or {})
    check_choice("inputs", inputs, INPUT_KINDS)
    for name in parameters:
        check_choice("network_parameters", name, CurveRegressor().get_params())
    CurveRegressor(**parameters).check_parameters()
    found = []
    for name, model in by_name("models", models, EXAMPLE).items():
        if isinstance(model, str):
            kind = check_choice("models", model, MODELS)
            found.append(Contender(name, INPUTS[kind], kind=kind, parameters=parameters))
        else:
            check_estimator("models", name, model, ("fit", "predict"), EXAMPLE)
            found.append(Contender(name, inputs, model))
        _check_name(name, is_own=found[-1].kind == name)
    peeked = [one for one in found if one.kind == one.name == PEEKED]
    return found + [
        Contender(PEEKING, one.inputs, kind=one.kind, parameters=one.parameters) for one in peeked
    ]


def seeing(found: list[Contender], part: str) -> list[Contender]:
    """The models with what they see of curves of which that part is known."""
    if part != MAGNITUDE_PART:
        return found
    return [replace(one, inputs=OF_MAGNITUDE[one.inputs]) for one in found]


def _check_name(name: str, *, is_own: bool) -> None:
    """Raise if a name would be taken for another model, or cannot be that of a folder."""
    is_taken = not is_own and name in (*MODELS, PEEKING)
    if is_taken or not name or name.startswith(".") or set(name) & set('/\\:*?"<>|\n'):
        raise InputError(
            f"names of models must be names of folders, and neither {PEEKING} nor that of a model "
            f"of the package, but one is {name!r}. Choose another."
        )
