"""The card of a model: what model.json holds, for every kind of model.

A card has common entries (parameters, rows, device, packages, metadata, hash of the weights) and
those of its kind, which the modules of the kinds write and check.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from latent_nmr.errors import InputError
from latent_nmr.models.card_checks import (
    MAX_CARD_BYTES,
    brief,
    check_distinct_words,
    check_keys,
    check_numbers,
    check_object,
    check_parameters,
    check_rows,
    check_total,
    check_word,
    pack_rows,
    strict_json,
)
from latent_nmr.models.card_text import plain, to_text
from latent_nmr.models.fitted import OPTIONAL, FittedModel

# Errors by which a check says that an entry of a card cannot be used.
BAD_ENTRY = (KeyError, TypeError, ValueError, OverflowError, RecursionError)
FIRST, LAST = (
    ("format", "format_version", "parameters"),
    ("fitted", "metadata", "packages", "weights_sha256"),
)
FITTED = ("device", "training_rows", "validation_rows")
# How long an optional entry is, where it is not one number or word per column.
LENGTHS = {"target_names": "n_targets", "repeat_scale": "n_components"}


@dataclass(frozen=True)
class Card:
    """A model as its card has it, without weights, and the hash of their file."""

    model: FittedModel
    weights_sha256: str


@dataclass(frozen=True)
class CardFormat:
    """Entries that the card of one kind of model has beside the common ones.

    Attributes
    ----------
    name, version : str, int
        What the card says of itself.
    title, example : str
        What messages call such a model, and the name of one that comes with the package.
    kind : type
        Of the fitted models that it describes.
    own, fitted : tuple of str
        Further entries of the card, and of its entry `fitted`, in the order of the file.
    to_entries : callable
        Own and fitted entries of a model.
    to_model : callable
        The model, from the whole card and the checked common facts.
    upgrades : mapping of int to callable
        For older versions, what turns their card into one of this version.
    """

    name: str
    version: int
    title: str
    example: str
    kind: type[FittedModel]
    own: tuple[str, ...]
    fitted: tuple[str, ...]
    to_entries: Callable[[Any], tuple[dict[str, Any], dict[str, Any]]]
    to_model: Callable[[dict[str, Any], dict[str, Any]], FittedModel]
    upgrades: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] = field(default_factory=dict)

    def check(self, card: Any) -> Card:
        """Check every entry of a card of this version that was read from JSON.

        Raises
        ------
        KeyError, TypeError, ValueError, OverflowError, RecursionError
            For anything that is not a whole card.
        """
        check_keys("the card", card, (*FIRST, *self.own, *LAST))
        fitted = check_object("fitted", card["fitted"])
        known = {entry.name for entry in fields(self.kind)}
        optional = [name for name in OPTIONAL if name in known and name in fitted]
        check_keys("fitted", fitted, (*self.fitted, *optional))
        training, validation = check_rows(fitted["training_rows"], fitted["validation_rows"])
        packages = check_object("packages", card["packages"])
        common = {
            "parameters": check_parameters(card["parameters"]),
            "training_rows": training,
            "validation_rows": validation,
            "device": check_word("device", fitted["device"]),
            "packages": {
                check_word("package", k): check_word("version", v) for k, v in packages.items()
            },
            "metadata": check_object("metadata", card["metadata"]),
        }
        for name in optional:
            is_text = name in ("feature_names", "target_names")
            check = check_distinct_words if is_text else check_numbers
            common[name] = check(name, fitted[name])
        model = self.to_model(card, common)
        if min(common.get("repeat_scale", [1])) <= 0:
            raise ValueError("repeat_scale must be above 0")
        for name in optional:
            length = getattr(model, LENGTHS.get(name, "n_features"))
            if len(common[name]) != length:
                raise ValueError(f"{name} must have {length} entries")
        check_total(model.weight_shapes().values())
        return Card(model, check_word("weights_sha256", card["weights_sha256"]))

    def text(self, card: Card) -> bytes:
        """Bytes of model.json, which a reader accepts.

        Raises
        ------
        InputError
            For metadata that JSON cannot hold, or a model that a reader would refuse.
        """
        try:
            text = to_text(self._entries(card)).encode()
            self.check(strict_json(text))
        except BAD_ENTRY as error:
            raise InputError(
                "the model and its metadata must fit a model file, which holds finite numbers and "
                f"at most {MAX_CARD_BYTES} bytes, but here is {brief(error)}. Leave that out of "
                "the metadata, or fit again."
            ) from error
        return text

    def _entries(self, card: Card) -> dict[str, Any]:
        model = card.model
        own, fitted = self.to_entries(model)
        fitted = fitted | {
            "device": model.device,
            "training_rows": pack_rows(model.training_rows, model.validation_rows),
            "validation_rows": model.validation_rows,
        }
        kept = {name: fitted[name] for name in self.fitted}
        for name in OPTIONAL:
            if (value := getattr(model, name, None)) is not None:
                kept[name] = list(value)
        return {
            "format": self.name,
            "format_version": self.version,
            "parameters": plain(model.parameters),
            **{name: own[name] for name in self.own},
            "fitted": kept,
            "metadata": model.metadata,
            "packages": model.packages,
            "weights_sha256": card.weights_sha256,
        }
