"""Files of `save_echoes` in which something was changed are never read as good."""

import random
import warnings
import zipfile

import numpy as np
import pytest
import xarray as xr
from scipy.io import netcdf_file

import latent_nmr as ln
from latent_nmr.data.echoes import assemble

FILES = [".nc", ".csv", ".npz"]
N_CURVES = 4


def echoes():
    """Four curves of six samples, with text, a missing number and attributes."""
    rng = np.random.default_rng(0)
    signals = {n: rng.uniform(-0.3, 0.3, (N_CURVES, 6)).astype(np.float32) for n in ("mx", "my")}
    labels = {"W": rng.uniform(0.1, 0.4, N_CURVES), "kernel": np.array(["rkky", "power"] * 2)}
    attributes = {"echo_index": 3, "dt_us": 0.5, "deep": {"b": [1]}, "note": "a"}
    dataset = assemble(signals, np.arange(6) * 0.5, labels, attributes)
    return dataset.assign_coords(depth=("curve", [np.nan, 1.5, 2.5, 3.5]))


@pytest.fixture(scope="module", params=FILES)
def good(request, tmp_path_factory):
    """A file of each format."""
    path = tmp_path_factory.mktemp("good") / f"good{request.param}"
    ln.save_echoes(echoes(), path)
    return path


def verdict(path, expected):
    """What comes of reading: "refused" in one line, "warned", "same" or "silent"."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            found = ln.open_echoes(path)
        except ln.InputError as error:
            text = str(error)
            return "refused" if path.name in text and "\n" not in text else text
    if found.identical(expected):
        return "same"
    return "warned" if any(w.category is ln.StoreWarning for w in caught) else "silent"


def lines_of(path):
    return path.read_text("utf-8").splitlines(keepends=True)


def test_no_turned_bit_passes(good, tmp_path):
    content, path = bytearray(good.read_bytes()), tmp_path / f"copy{good.suffix}"
    expected = ln.open_echoes(good)
    places = random.Random(0).sample(range(8 * len(content)), 250)
    found = []
    for place in places:
        content[place // 8] ^= 1 << place % 8
        path.write_bytes(content)
        content[place // 8] ^= 1 << place % 8
        found.append(verdict(path, expected))
    assert set(found) <= {"refused", "warned", "same"}
    assert found.count("refused") > 125


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows[:-1],
        lambda rows: rows[1:],
        lambda rows: [rows[1], rows[0], *rows[2:]],
        lambda rows: [rows[0], rows[0], *rows[2:]],
        lambda rows: [*rows, rows[0]],
        lambda rows: [*rows[:-1], rows[-1][:-3]],
        lambda rows: [rows[0].replace("rkky", "power"), *rows[1:]],
    ],
    ids=["cut", "begun later", "swapped", "copied over", "doubled", "cut in a number", "a label"],
)
def test_rows_of_a_table(tmp_path, change):
    path = tmp_path / "a.csv"
    ln.save_echoes(echoes(), path)
    lines = lines_of(path)
    path.write_text("".join([*lines[:-N_CURVES], *change(lines[-N_CURVES:])]), "utf-8")
    assert verdict(path, echoes()) == "refused"


def substituted(old, new):
    """Replace a text in a table."""
    return lambda path: path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")


def without_line(path):
    kept = [line for line in lines_of(path) if not line.startswith("# checksums:")]
    path.write_text("".join(kept), "utf-8")


def with_netcdf(change):
    """Change a NetCDF file in place."""

    def edit(path):
        with netcdf_file(path, "a", mmap=False) as file:
            change(file)

    return edit


def doubled(file):
    file.variables["W"][:] *= 2


def without_attribute(file):
    del file._attributes["latent_nmr_checksums"]


@pytest.mark.parametrize(
    ("name", "edit", "changed", "way_out"),
    [
        ("a.nc", with_netcdf(doubled), "W", with_netcdf(without_attribute)),
        ("a.csv", substituted(",rkky,", ",power,"), "kernel", without_line),
        ("a.csv", substituted('"note": "a"', '"note": "b"'), "the attributes", without_line),
    ],
)
def test_what_was_edited_on_purpose_is_read_as_the_message_says(
    tmp_path, name, edit, changed, way_out
):
    path = tmp_path / name
    ln.save_echoes(echoes(), path)
    edit(path)
    with pytest.raises(ln.InputError, match=f"in .*{name} {changed} changed: .* on purpose"):
        ln.open_echoes(path)
    way_out(path)
    with pytest.warns(ln.StoreWarning, match=f"{name} has none"):
        found = ln.open_echoes(path)
    wanted = echoes()
    expected = {
        "W": wanted.assign_coords(W=2 * wanted.W.copy()),
        "kernel": wanted.assign_coords(kernel=("curve", np.array(["power"] * N_CURVES))),
        "the attributes": wanted.assign_attrs(note="b"),
    }[changed]
    assert found.equals(expected)
    assert found.attrs == expected.attrs


def test_a_file_that_xarray_writes_again_is_the_same(tmp_path):
    ln.save_echoes(echoes(), tmp_path / "a.nc")
    xr.open_dataset(tmp_path / "a.nc", engine="scipy").load().to_netcdf(tmp_path / "b.nc")
    assert verdict(tmp_path / "b.nc", echoes()) == "same"


def test_a_file_of_another_program_needs_no_checksums(tmp_path):
    foreign = echoes().drop_attrs().assign_attrs(echo_index=3)
    foreign.to_netcdf(tmp_path / "a.nc", engine="scipy")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = ln.open_echoes(tmp_path / "a.nc")
    np.testing.assert_array_equal(found.mx, echoes().mx)


def test_a_file_that_lost_the_notes_of_its_types_is_refused(tmp_path):
    ln.save_echoes(echoes(), tmp_path / "a.nc")
    with netcdf_file(tmp_path / "a.nc", "a", mmap=False) as file:
        del file._attributes["latent_nmr_types"]
    assert verdict(tmp_path / "a.nc", echoes()) == "refused"


@pytest.mark.parametrize(("first", "second"), [("mx", "my"), ("W", "depth")])
def test_members_of_a_compact_set_that_were_swapped(tmp_path, first, second):
    ln.save_echoes(echoes(), tmp_path / "a.npz")
    with zipfile.ZipFile(tmp_path / "a.npz") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    one, other = f"{first}.npy", f"{second}.npy"
    members[one], members[other] = members[other], members[one]
    with zipfile.ZipFile(tmp_path / "copy.npz", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    assert verdict(tmp_path / "copy.npz", echoes()) == "refused"


@pytest.mark.parametrize("suffix", [*FILES, ".zarr"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_missing_number_of_any_bits_is_the_same(tmp_path, suffix, dtype):
    """0/0 is a negative NaN on some machines; text has only one."""
    values = np.array([np.nan, -np.nan, 0.5, np.nan], dtype)
    values.view("u4" if dtype == "float32" else "u8")[3] += 1
    dataset = echoes().assign_coords(depth=("curve", values))
    ln.save_echoes(dataset, tmp_path / f"a{suffix}")
    np.testing.assert_array_equal(ln.open_echoes(tmp_path / f"a{suffix}").depth, values)


def test_checksums_that_xarray_keeps_among_the_attributes_come_back(tmp_path):
    ln.save_echoes(echoes(), tmp_path / "a.nc")
    raw = xr.open_dataset(tmp_path / "a.nc", engine="scipy").load()
    ln.save_echoes(raw, tmp_path / "b.nc")
    assert ln.open_echoes(tmp_path / "b.nc").attrs == raw.attrs
