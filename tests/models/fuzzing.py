"""What becomes of model folders that went wrong.

``python -m tests.models.fuzzing MODEL COUNT`` loads and uses so many of them with little memory,
and prints a table of the outcomes of every kind.
"""

import json
import resource
import shutil
import sys
import tempfile
import time
import warnings
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np

from latent_nmr.errors import InputError, NumericalError
from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.models.persistence import ModelFileError
from tests.models.mutations import KINDS, make_mutant

# Kinds of which every mutant must be refused; of the others some are harmless.
REFUSED = (
    "weights: not finite",
    "weights: wrong type",
    "weights: names",
    "weights: a pickle",
    "header: type",
    "header: shape",
    "header: length",
    "card: a pickle",
    "card: absurd sizes",
    "card: key twice",
    "card: no number",
    "files: swapped",
)


def load_or_none(folder):
    """The model in a folder, or None if it is refused in words that name the folder."""
    try:
        return BetaVAE.load(folder)
    except ModelFileError as error:
        text = str(error)
    assert str(folder) in text
    assert len(text) < 1000
    return None


def outcome_of(model, X):
    """What becomes of a loaded model that is used; numbers that are not finite raise."""
    Z = np.linspace(-2, 2, 3 * model.n_components).reshape(3, -1)
    uses = {
        "transform": lambda: model.transform(X),
        "transform_std": lambda: model.transform_std(X),
        "inverse_transform": lambda: model.inverse_transform(Z),
        "score": lambda: model.score(X),
    }
    outcome = "finite"
    for name, use in uses.items():
        try:
            values = np.asarray(use())
        except (NumericalError, InputError) as error:
            outcome = type(error).__name__
        else:
            assert np.isfinite(values).all(), f"{name} is not finite"
    repr(model)
    json.dumps(model.card(), allow_nan=False)
    return outcome


def examine(whole, count, X, folder, *, allowed_seconds, memory=lambda: 0):
    """Outcomes per kind, and seconds and bytes of its worst load, of mutants 0 to `count`."""
    outcomes, worst = defaultdict(Counter), defaultdict(lambda: (0.0, 0))
    for number in range(count):
        place = folder / str(number)
        place.mkdir()
        kind = make_mutant(whole, place / "model", number)
        memory()
        try:
            start = time.process_time()
            model = load_or_none(place / "model")
            seconds, used = time.process_time() - start, memory()
            assert seconds < allowed_seconds, (
                f"{seconds:.2f} s to be {'loaded' if model else 'refused'}"
            )
            assert not hasattr(sys, "exploded"), "a pickle was run"
            assert model is None or not kind.startswith(REFUSED), "it loads"
            outcomes[kind]["refused" if model is None else outcome_of(model, X)] += 1
        except BaseException as error:
            raise AssertionError(f"mutant {number}, {kind}: {error!r}") from error
        worst[kind] = (max(worst[kind][0], seconds), max(worst[kind][1], used))
        shutil.rmtree(place)
    return outcomes, worst


def peak_memory():
    """Bytes of this process' largest resident set since the last call."""
    text = Path("/proc/self/status").read_text("utf-8")
    Path("/proc/self/clear_refs").write_text("5", "utf-8")
    return 1024 * int(text.split("VmHWM:")[1].split()[0])


def main(model, count, megabytes=500):
    """Examine mutants of a model with `megabytes` more memory than it takes to use the model."""
    warnings.simplefilter("ignore", RuntimeWarning)  # overflow is what some of them are made for
    X = np.load(Path(model).parent / "X.npy")
    loaded = BetaVAE.load(model)
    for likelihood in ("bernoulli", "gaussian"):
        loaded.parameters_["likelihood"] = likelihood
        loaded.score(X)
    outcome_of(loaded, X)
    with tempfile.TemporaryDirectory() as folder:
        examine(
            model, len(KINDS), X, Path(folder), allowed_seconds=60
        )  # everything imported and compiled
    pages = int(Path("/proc/self/statm").read_text("utf-8").split()[0])
    limit = pages * resource.getpagesize() + megabytes * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    peak_memory()
    baseline = peak_memory()
    with tempfile.TemporaryDirectory() as folder:
        outcomes, worst = examine(
            model, count, X, Path(folder), allowed_seconds=1, memory=peak_memory
        )
    words = sorted({word for counts in outcomes.values() for word in counts})
    print(f"{'kind':<36}", *(f"{word:>22}" for word in words), "max s", "max MB")
    for kind in sorted(outcomes):
        counts = (f"{outcomes[kind][word]:>22}" for word in words)
        seconds, used = worst[kind]
        print(f"{kind:<36}", *counts, f"{seconds:.3f} {max(0, used - baseline) / 1e6:6.0f}")
    total = Counter()
    for counts in outcomes.values():
        total.update(counts)
    print(f"{'all':<36}", *(f"{total[word]:>22}" for word in words))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
