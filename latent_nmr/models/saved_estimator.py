"""What both estimators share: to be frozen, saved, loaded and described."""

from collections.abc import Mapping
from dataclasses import fields
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from latent_nmr.models import card_summary, persistence
from latent_nmr.models.card_checks import brief
from latent_nmr.models.fitted import OPTIONAL, FittedModel
from latent_nmr.models.model_folder import CARD_FILE, ModelFileError


class SavedEstimator(BaseEstimator):
    """An estimator whose learned attributes are the fields of a frozen model and an underscore."""

    # Those of the fit; `set_params` changes what the next fit does, not what this one has done.
    parameters_: dict[str, Any]
    metadata_: dict[str, Any]
    n_features_in_: int
    feature_names_in_: npt.NDArray[np.object_]
    _kind: ClassVar[type[FittedModel]]

    def save(
        self,
        path: str | PathLike,
        metadata: Mapping[str, Any] | None = None,
        *,
        precision: str = "single",
    ) -> None:
        """Write the fitted model to the folder `path`: weights.safetensors and model.json.

        Parameters
        ----------
        path : path-like
            A new folder, or one that holds a saved model and nothing else.
        metadata : mapping, optional
            Anything JSON can hold that later users need: time grid, window, normalisation.
        precision : {"single", "half"}
            `half` takes half the bytes; latent coordinates then move by about 1e-3.
        """
        persistence.save(self.frozen(metadata or {}), Path(path), precision)

    @classmethod
    def load(cls, path: str | PathLike) -> Self:
        """Read a model that `save` wrote; executes nothing. Its metadata is in `metadata_`.

        What `set_output` chose is no part of it: how one object hands out its results says nothing
        about the model. Choose again after loading.
        """
        fitted = persistence.load(Path(path), cls._kind)
        try:
            unknown = set(fitted.parameters) - set(cls().get_params())
            if unknown:
                raise ValueError(f"unknown parameters {sorted(unknown)}")
            model = cls(**fitted.parameters)
            model.check_parameters()
        except (TypeError, ValueError, OverflowError) as error:
            raise ModelFileError(
                Path(path), f"has a damaged {CARD_FILE} ({brief(error)})"
            ) from error
        model.n_features_in_ = fitted.n_features
        model._take(fitted)
        return model

    def card(self) -> dict[str, Any]:
        """What is known of the fitted model, as JSON can hold it.

        Parameters, layer sizes, how training went, metadata, device and package versions of the
        fit, SHA-256 of the weights; of a β-VAE also KL, variance and state of every axis.
        """
        return card_summary.summary(persistence.card_of(self.frozen()))

    def frozen(self, metadata: Mapping[str, Any] | None = None) -> FittedModel:
        """The fitted model as arrays and facts, with its own or other metadata."""
        check_is_fitted(self, "weights_")
        parameters = dict(self.parameters_)
        # A generator's state is not kept, a seed is.
        if not isinstance(parameters["random_state"], int | np.integer):
            parameters["random_state"] = None
        learned = {
            entry.name: getattr(self, f"{entry.name}_")
            for entry in fields(self._kind)
            if entry.name not in ("parameters", "metadata", *OPTIONAL)
        }
        for name, attribute in OPTIONAL.items():
            value = getattr(self, attribute, None)
            if value is not None:
                is_text = value.dtype.kind == "O"
                learned[name] = tuple(map(str, value)) if is_text else value
        kept = self.metadata_ if metadata is None else metadata
        return self._kind(parameters=parameters, metadata=dict(kept), **learned)

    def check_parameters(self) -> None:
        """Raise `InputError` for a constructor argument that cannot be used."""
        raise NotImplementedError

    def _take(self, fitted: FittedModel) -> None:
        """Take over what a fit or a file gives."""
        for entry in fields(fitted):
            value = getattr(fitted, entry.name)
            if entry.name not in OPTIONAL:
                setattr(self, f"{entry.name}_", value)
            elif value is not None:
                given = np.array(value, dtype=object) if isinstance(value, tuple) else value
                setattr(self, OPTIONAL[entry.name], given)
