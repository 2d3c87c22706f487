"""A model knows the curves that it was trained on, in whatever they are kept."""

import base64
from types import SimpleNamespace

import numpy as np
import pytest

import latent_nmr as ln
from latent_nmr.studies._known_curves import (
    DIGESTS,
    MEANS,
    curve_digests,
    knows_curves,
    note_curves,
    training_split,
)

N_CURVES = 60


@pytest.fixture(scope="module")
def clean():
    return ln.simulate(n_curves=N_CURVES, n_edge=12, seed=0, step=4)


def trained_on(X, rows, notes=note_curves):
    """What is read of a model: two in three of `rows` it was fitted on, the others it validated."""
    is_validated = np.arange(len(rows)) % 3 == 2
    places = np.arange(len(rows))
    return SimpleNamespace(
        metadata_=notes(X[rows]),
        training_rows_=places[~is_validated],
        validation_rows_=places[is_validated],
    )


def old_notes(X):
    return {DIGESTS: base64.b64encode(curve_digests(X).tobytes()).decode()}


@pytest.mark.parametrize("window", ["echo", "full"])
@pytest.mark.parametrize("signals", ["complex", "magnitude"])
@pytest.mark.parametrize(
    "snr", [None, *(pytest.param(s, marks=pytest.mark.slow) for s in (200, 50)), 20]
)
def test_every_curve_is_known_in_a_compact_copy(clean, tmp_path, snr, signals, window):
    ds = clean if snr is None else ln.add_noise(clean, snr=snr, seed=1)
    rows = np.arange(0, N_CURVES, 2)
    model = trained_on(ln.features(ds, window=window), rows)
    ln.save_echoes(ds, tmp_path / "copy.npz", signals=signals)
    copied = ln.features(ln.open_echoes(tmp_path / "copy.npz"), window=window)
    split = training_split(model, copied)
    assert split[::6].tolist() == ["training"] * 10
    assert split[2::6].tolist() == ["training"] * 10
    assert split[4::6].tolist() == ["validation"] * 10
    assert split[1::2].tolist() == ["new"] * 30


def test_the_same_curves_with_other_noise_are_new(clean):
    X, others = (ln.features(ln.add_noise(clean, snr=50, seed=seed)) for seed in (1, 2))
    assert set(training_split(trained_on(X, np.arange(N_CURVES)), others)) == {"new"}


def test_of_three_thousand_curves_none_is_taken_for_another():
    X = ln.features(ln.load_reference(), window="full")
    rows = np.arange(0, len(X), 2)
    split = training_split(trained_on(X, rows), X)
    assert (split[1::2] == "new").all()
    assert (split[::2] != "new").all()


def test_notes_of_earlier_versions_are_read(clean):
    X = ln.features(clean)
    model = trained_on(X, np.arange(30), old_notes)
    assert knows_curves(model.metadata_)
    split = training_split(model, X)
    assert split[:3].tolist() == ["training", "training", "validation"]
    assert (split[:30] != "new").all()
    assert (split[30:] == "new").all()


@pytest.mark.parametrize("name", [MEANS, DIGESTS])
@pytest.mark.parametrize("notes", ["AAAA", "####", 7, None, ""])
def test_notes_that_cannot_be_read_are_refused(clean, name, notes):
    X = ln.features(clean)
    model = trained_on(X, np.arange(30))
    model.metadata_ = {name: notes}
    with pytest.raises(ln.InputError, match="must say which curves it was trained on"):
        training_split(model, X)
