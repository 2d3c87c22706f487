"""The methods of an evaluation: estimators of any origin, and how often each is fitted."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np

from latent_nmr.errors import InputError, RepeatsError, check_choice, check_count
from latent_nmr.models.baselines import KMeansBaseline, PCABaseline, UMAPBaseline
from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.models.bottleneck import SCHEDULE, BottleneckNetwork, varying
from latent_nmr.models.repeat_pca import RepeatPCA
from latent_nmr.studies._estimators import by_name, unfitted_digest
from latent_nmr.studies._identity import digest_of

CLASSES: dict[str, type] = {
    "vae": BetaVAE,
    "pca": PCABaseline,
    "umap": UMAPBaseline,
    "kmeans": KMeansBaseline,
}
# Methods that can be asked for by name: what makes one from its number of components.
NAMED: dict[str, Callable[..., Any]] = CLASSES | {
    "thorough": BetaVAE.thorough,
    "vae-repeats": BetaVAE.of_repeats,
    "repeat-pca": RepeatPCA,
}
DETERMINISTIC = ("pca", "repeat-pca")
OF_REPEATS = ("vae-repeats", "repeat-pca")
RESERVED = ("forest", "bottleneck", "shuffled")
METHOD, FLOOR, CEILING = "method", "floor", "ceiling"
BOTTLENECK = "bottleneck"
# Wider bottlenecks are none: what d coordinates could show is a question of few.
WIDEST_BOTTLENECK = 32


@dataclass(frozen=True)
class Method:
    """An estimator under a name, to be fitted once for each seed.

    Attributes
    ----------
    name : str
    kind : str
        Key of `NAMED` where it was asked for by name, or of `CLASSES` where it is one of these;
        empty for others.
    estimator : object
    seeds : tuple of int
        One seed, 0, where nothing is random.
    is_fitted : bool
        Whether it is scored as it is; its only seed is then its number.
    digest : str
        Identifies the estimator with its parameters, and its state if it is fitted.
    role : str
        `METHOD`, or `CEILING` of what is fitted to the labels too.
    """

    name: str
    kind: str
    estimator: Any
    seeds: tuple[int, ...]
    is_fitted: bool = False
    digest: str = ""
    role: str = METHOD

    def facts(self, seed: int) -> dict[str, Any]:
        """What identifies a fit."""
        return {"model": self.name, "estimator": self.digest, "seed": seed}

    @property
    def is_trained(self) -> bool:
        """Whether it is a β-VAE to be trained: all seeds side by side, and saved."""
        return type(self.estimator) is BetaVAE and not self.is_fitted

    def saved_name(self, seed: int) -> str:
        """Name of the folder of a saved β-VAE."""
        name = re.sub(r"[^\w.-]+", "-", self.name)
        return f"{name}-{self.estimator.n_components}-seed{seed}"

    def shuffle_seed(self) -> int:
        """A number of its own, so that no two methods share their shuffles of labels."""
        known = list(CLASSES)
        if self.name in known:
            return known.index(self.name)
        return len(known) + crc32(self.name.encode())

    @property
    def flaw(self) -> str:
        """Why it cannot be scored at all; empty if it can."""
        if hasattr(self.estimator, "transform"):
            return ""
        if hasattr(self.estimator, "fit_transform"):
            return (
                "has fit_transform but no transform, so it has no coordinates for held-out curves"
            )
        return "has no method transform"


def methods_of(
    methods: Any,
    fitted: Any,
    n_components: int | Iterable[int],
    n_seeds: int,
) -> list[Method]:
    """All methods in the order in which they were given, those of a name by dimension.

    Raises
    ------
    InputError
        For a method that is no estimator, unknown, or named twice.
    """
    check_count("n_seeds", n_seeds)
    dimensions = _dimensions(n_components)
    found: list[Method] = []
    models_by_name = by_name("fitted", fitted or {}, "PCA(2).fit(X)", may_be_empty=True)
    for name, given in _items(methods, may_be_empty=bool(models_by_name)):
        if isinstance(given, str):
            check_choice("methods", given, NAMED)
            models = [NAMED[given](n_components=n) for n in dimensions]
            found += [_method(name, model, n_seeds, given) for model in models]
        else:
            found.append(_method(name, _estimator(name, given), n_seeds))
    for name, given in models_by_name.items():
        if name in {method.name for method in found}:
            raise InputError(
                f"fitted must have names that methods does not have, but {name!r} is in both. "
                "Rename one."
            )
        models = given if isinstance(given, list | tuple) else [given]
        found += [_fitted(name, model, number) for number, model in enumerate(models)]
    return found


def check_repeats_known(methods: Sequence[Method], groups: Any) -> None:
    """Raise `InputError` if one of our methods learns from repeats and no material has any."""
    lacking = [method.name for method in methods if method.kind in OF_REPEATS]
    if lacking and (groups is None or np.bincount(groups).max() < 2):
        raise RepeatsError(
            f"methods that learn from repeats ({' and '.join(dict.fromkeys(lacking))}) must have "
            "several curves of a material to be fitted on, but these data have none.",
            "Leave them out, or use data with repeats, such as latent_nmr.simulate(…, repeats=2) "
            "makes.",
        )


def bottlenecks(dimensions: Iterable[int], labels: Mapping[str, Any], n_seeds: int) -> list[Method]:
    """Supervised networks with a bottleneck of each dimension, as methods of the ceiling's role.

    None where no label varies, and of dimensions beyond `WIDEST_BOTTLENECK`.
    """
    known = varying(labels)
    told = digest_of(dict(known))
    return [
        Method(
            BOTTLENECK,
            BOTTLENECK,
            BottleneckNetwork(n_components),
            tuple(range(n_seeds)),
            digest=digest_of(told, n_components, repr(SCHEDULE)),
            role=CEILING,
        )
        for n_components in sorted(set(dimensions))
        if known and n_components <= WIDEST_BOTTLENECK
    ]


def _items(methods: Any, *, may_be_empty: bool) -> list[tuple[str, Any]]:
    """Names and estimators."""
    found = by_name("methods", methods, "PCA(2)", may_be_empty=may_be_empty)
    taken = [name for name in found if name in RESERVED]
    if taken:
        raise InputError(
            f"methods must not use the names of the bounds {' and '.join(RESERVED)}, but one is "
            f"called {taken[0]!r}. Rename it."
        )
    return list(found.items())


def _dimensions(n_components: int | Iterable[int]) -> list[int]:
    given = list(n_components) if isinstance(n_components, Iterable) else [n_components]
    found = [check_count("n_components", n) for n in given]
    if not found or len(set(found)) < len(found):
        raise InputError(
            "n_components must name each of one or more dimensions once, but is "
            f"{' '.join(map(str, found)) or 'empty'}. Give 2, or (2, 4)."
        )
    return found


def _estimator(name: str, given: Any) -> Any:
    """An estimator that was given, or a message of what it must be."""
    if isinstance(given, type) or not any(hasattr(given, n) for n in ("fit", "fit_transform")):
        what = f"the class {given.__name__}" if isinstance(given, type) else repr(given)
        cure = f"Give {given.__name__}()" if isinstance(given, type) else "Give one such as PCA(2)"
        raise InputError(
            f"methods must be estimators with fit and transform, or names of ours "
            f"({', '.join(NAMED)}), but {name!r} is {what}. {cure}."
        )
    return given


def _method(name: str, estimator: Any, n_seeds: int, kind: str = "") -> Method:
    kind = kind or next((k for k, cls in CLASSES.items() if type(estimator) is cls), "")
    is_random = kind not in DETERMINISTIC and _is_random(estimator)
    seeds = range(n_seeds if is_random else 1)
    return Method(name, kind, estimator, tuple(seeds), digest=unfitted_digest(estimator))


def _fitted(name: str, model: Any, number: int) -> Method:
    kind = next((k for k, cls in CLASSES.items() if isinstance(model, cls)), "")
    return Method(name, kind, model, (number,), is_fitted=True, digest=digest_of(model))


def _is_random(estimator: Any) -> bool:
    """Whether it, or a part of it, has a parameter random_state."""
    try:
        names: Sequence[str] = list(estimator.get_params())
    except Exception:  # whatever an object of another package raises
        return hasattr(estimator, "random_state")
    return any(name == "random_state" or name.endswith("__random_state") for name in names)
