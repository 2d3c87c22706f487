"""Data sets with other dimensions than (curve, time): every door works, or refuses in one line."""

import numpy as np
import pytest
import xarray as xr

import latent_nmr as ln
from latent_nmr.data.challenge_files import save_challenge
from latent_nmr.data.compact import save_compact
from latent_nmr.data.echoes import assemble, fingerprint
from latent_nmr.studies.evaluation._echoes import evaluate_echoes

N_CURVES, DT = 12, 1 / (2 * np.pi)


def echoes():
    """Twelve curves on the grid of the trained model `echo`, with labels."""
    time = np.arange(1456) * DT
    heights = np.linspace(0.1, 0.4, N_CURVES)[:, np.newaxis]
    shape = np.exp(-time / 20) + heights * np.exp(-(((time - time[1256]) / 9) ** 2))
    phase = np.linspace(0, 1, N_CURVES)[:, np.newaxis]
    signals = {"mx": 0.3 * shape * np.cos(phase), "my": 0.3 * shape * np.sin(phase)}
    labels = {
        "W": np.linspace(0.1, 0.3, N_CURVES),
        "kernel": np.array(["rkky", "power"] * (N_CURVES // 2)),
    }
    attributes = {
        "echo_index": 1256, "dt_us": DT, "pulse_samples": [0, 628],
        "pulse_angles_rad": [np.pi / 2, np.pi], "preset": "paper",
    }  # fmt: skip
    return assemble(signals, time, labels, attributes)


@pytest.fixture(scope="module")
def model():
    return ln.load_pretrained("echo")


@pytest.fixture
def doors(tmp_path, model):
    """Everything that takes a data set."""
    return {
        "features": ln.features,
        "window_time": lambda ds: ln.window_time(ds, "echo"),
        **{
            suffix: lambda ds, suffix=suffix: ln.save_echoes(ds, tmp_path / f"a{suffix}")
            for suffix in (".zarr", ".nc", ".csv", ".npz")
        },
        "compact": lambda ds: save_compact(ds, tmp_path / "b.npz"),
        "challenge files": lambda ds: save_challenge(ds, tmp_path, "2020", "eval"),
        "noise": lambda ds: ln.add_noise(ds, 20, seed=1),
        "phase": lambda ds: ln.rotate_phase(ds, 0.1),
        "shift": lambda ds: ln.shift_frequency(ds, 0.1),
        "baseline": lambda ds: ln.add_baseline(ds, 0.1, 0.0),
        "dead time": lambda ds: ln.blank_dead_time(ds, 1.0),
        "embed": lambda ds: ln.embed(model, ds),
        "axes": lambda ds: ln.name_axes(model, ds),
        "clusters": ln.clusters,
        "probe": ln.probe,
        "train": ln.train,
        "audit": lambda ds: ln.audit(model, ds),
        "challenge": lambda ds: ln.challenge("2020", ds),
        "evaluate": evaluate_echoes,
    }


# What changes a data set, and what its refusal says; the cure where there is one.
REFUSED = {
    "one curve": (lambda ds: ds.isel(curve=0), r"\(curve, time\), but .* ds.isel\(curve=\[0\]\)"),
    "one curve, no rest": (lambda ds: ds.isel(curve=0, drop=True), r"ds.isel\(curve=\[0\]\)"),
    "one sample": (lambda ds: ds.isel(time=5), r"ds.isel\(time=\[0\]\)|lacks time"),
    "one number": (lambda ds: ds.isel(curve=0, time=5), r"ds.isel\(curve=\[0\]\)"),
    "diagonal": (
        lambda ds: ds.isel(curve=[0, 1], time=xr.DataArray([0, 1], dims="curve")),
        r"ds.isel\(time=\[0\]\)",
    ),
    "stacked": (lambda ds: ds.stack(z=("curve", "time")), "but mx has"),
    "renamed curve": (lambda ds: ds.rename(curve="sample"), r"ds.rename\({'sample': 'curve'}\)"),
    "swapped curve": (lambda ds: ds.swap_dims(curve="W"), r"ds.rename\({'W': 'curve'}\)"),
    "renamed time": (lambda ds: ds.rename(time="t"), "lacks time"),
    "swapped time": (
        lambda ds: ds.assign_coords(k=("time", np.arange(1456))).swap_dims(time="k"),
        r"ds.rename\({'k': 'time'}\)",
    ),
    "a further dimension": (lambda ds: ds.expand_dims("run"), r"ds.isel\(run=0\)"),
    "several runs": (lambda ds: xr.concat([ds, ds], "run"), r"ds.isel\(run=0\)"),
    "channels of one signal": (
        lambda ds: ds.assign(my=ds.my.expand_dims(channel=2, axis=-1)),
        r"my has .*ds.isel\(channel=0\)",
    ),
    "a longitudinal signal of one curve": (
        lambda ds: ds.assign(mz=ds.mx.isel(curve=0)), r"mz has \('time',\)",
    ),
    "|M| of one curve": (
        lambda ds: ds.drop_vars(["mx", "my"]).assign(magnitude=abs(ds.mx.isel(curve=0))),
        "magnitude has|magnitude only",
    ),
    "times of each curve": (
        lambda ds: ds.drop_vars("time").assign(time=ds.time + 0 * ds.mx), "one value per sample",
    ),
    "no curves": (lambda ds: ds.isel(curve=[]), "at least one curve"),
    "no samples": (lambda ds: ds.isel(time=[]), "at least one sample"),
    "complex": (lambda ds: ds.assign(mx=ds.mx + 1j), "mx holds complex64"),
    "text": (lambda ds: ds.assign(my=ds.my.astype(str)), "my holds <U"),
    "truth values": (lambda ds: ds.assign(my=ds.my > 0), "my holds bool"),
    "objects": (lambda ds: ds.assign(mx=ds.mx.astype(object)), "mx holds object"),
    "no attributes": (lambda ds: ds.drop_attrs(), "echo_index"),
    "an array": (lambda ds: ds.mx, "must be an xarray.Dataset|must be .*finite|shape"),
    "a tree": (xr.DataTree, "must be an xarray.Dataset|must be a data set"),
    "a dictionary": (dict, "must be an xarray.Dataset|must be a data set"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_set_of_curves_is_refused_at_every_door(doors, case):
    change, rule = REFUSED[case]
    dataset = change(echoes())
    if case == "an array":  # a table of features, for these
        del doors["clusters"]
    for name, door in doors.items():
        with pytest.raises(ln.InputError, match=rule) as error:
            door(dataset)
        assert "\n" not in str(error.value), name


def index_of_levels(ds):
    return ds.assign_coords(run=("curve", np.arange(N_CURVES) % 5)).set_index(curve=["run", "W"])


ACCEPTED = {
    "transposed": lambda ds: ds.transpose("time", "curve"),
    "half transposed": lambda ds: ds.assign(my=ds.my.transpose("time", "curve")),
    "named curves": lambda ds: ds.assign_coords(curve=[f"c{n}" for n in range(N_CURVES)]),
    "named in StringDType": lambda ds: ds.assign_coords(
        curve=("curve", np.array([f"c{n}" for n in range(N_CURVES)], np.dtypes.StringDType()))
    ),
    "dated curves": lambda ds: ds.assign_coords(
        curve=np.datetime64("2020-01-01", "ns") + np.arange(N_CURVES)
    ),
    "equal names": lambda ds: ds.assign_coords(curve=["a"] * N_CURVES),
    "no names": lambda ds: ds.drop_vars("curve"),
    "several levels": index_of_levels,
    "labels as variables": lambda ds: ds.reset_coords(),
    "an index of labels": lambda ds: ds.set_xindex("W"),
    "other byte order": lambda ds: ds.assign(mx=ds.mx.astype(">f4"), my=ds.my.astype(">f4")),
    "a foreign dimension": lambda ds: ds.assign(photo=("pixel", np.zeros(3))),
}
EMBEDDED = ["LA1", "LA2", "rms", "W", "kernel"]


@pytest.mark.parametrize("case", ACCEPTED)
def test_another_order_or_name_of_the_curves_changes_no_number(model, case):
    plain, dataset = echoes(), ACCEPTED[case](echoes())
    np.testing.assert_array_equal(ln.features(dataset), ln.features(plain))
    table = ln.embed(model, dataset)
    assert table[EMBEDDED].equals(ln.embed(model, plain)[EMBEDDED])
    turned, wanted = (ln.rotate_phase(ds, np.linspace(0, 1, N_CURVES)) for ds in (dataset, plain))
    np.testing.assert_array_equal(ln.features(turned), ln.features(wanted))
    if case != "several levels":  # W is a level there, no variable
        assert fingerprint(dataset) == fingerprint(plain)


@pytest.mark.parametrize("suffix", [".zarr", ".nc", ".csv", ".npz"])
@pytest.mark.parametrize("case", ["transposed", "named curves", "named in StringDType", "no names"])
def test_files_keep_order_and_names_of_the_curves(tmp_path, case, suffix):
    dataset = ACCEPTED[case](echoes())
    ln.save_echoes(dataset, tmp_path / f"a{suffix}")
    back = ln.open_echoes(tmp_path / f"a{suffix}")
    np.testing.assert_array_equal(back.get("curve", 0), dataset.get("curve", 0))
    np.testing.assert_allclose(ln.features(back), ln.features(dataset), atol=1e-3)


def test_an_index_of_several_levels_is_refused_by_files_with_its_cure(tmp_path):
    dataset = index_of_levels(echoes())
    with pytest.raises(ln.InputError, match=r"curve holds tuple.*ds.reset_index\('curve'\)"):
        ln.save_echoes(dataset, tmp_path / "a.nc")
    ln.save_echoes(dataset.reset_index("curve"), tmp_path / "a.nc")
    assert ln.open_echoes(tmp_path / "a.nc")["run"].dims == ("curve",)


@pytest.mark.parametrize("label", ["W", "kernel"])
class TestLabels:
    """Labels with other dimensions than that of the curves."""

    def test_one_without_dimensions_is_that_of_every_curve(self, model, label):
        value = echoes()[label].to_numpy()[0]
        table = ln.embed(model, echoes().assign_coords({label: value}))
        assert (table[label] == value).all()

    @pytest.mark.parametrize("dims", [("time",), ("run",), ("curve", "time")])
    def test_one_of_another_shape_is_refused_where_it_is_used(self, model, label, dims):
        sizes = {"curve": N_CURVES, "time": 1456, "run": 2}
        value = echoes()[label].to_numpy()[0]
        strange = (dims, np.full([sizes[dim] for dim in dims], value))
        dataset = echoes().drop_vars(label).assign_coords({label: strange})
        assert ln.features(dataset).shape == (N_CURVES, 400)
        doors = [ln.clusters, ln.train, evaluate_echoes, ln.probe]
        for door in [*doors, lambda ds: ln.embed(model, ds), lambda ds: ln.name_axes(model, ds)]:
            with pytest.raises(ln.InputError, match=rf"one value per curve.*{label} has"):
                door(dataset)


def test_echo_features_go_by_the_names_of_the_dimensions():
    dataset = echoes()
    M = dataset.mx + 1j * dataset.my
    transformer = ln.EchoFeatures(dataset.time.to_numpy(), echo_time=1256 * DT).fit(M)
    np.testing.assert_array_equal(transformer.transform(M.T), transformer.transform(M))
