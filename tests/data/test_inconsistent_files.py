"""Files that say one thing and hold another: every case is refused in one line, or harmless.

The cases are generated: every array shortened, lengthened, retyped and removed; every entry of
every header removed and replaced by values of other kinds.
"""

import copy
import io
import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from scipy.io import netcdf_file

from latent_nmr.data.compact import save_compact
from latent_nmr.data.echoes import assemble
from latent_nmr.data.io import open_echoes, save_echoes
from latent_nmr.errors import InputError

# Files without checksums, which would refuse every case, tell no damage.
pytestmark = pytest.mark.filterwarnings("ignore::latent_nmr.errors.StoreWarning")

OLD_COMPACT = Path(__file__).parents[1] / "fixtures" / "0.1.0" / "echoes.npz"
OWN = ("run", "usable")
ODD = (None, True, -1.5, "x", [1, 2, 3])
TYPES = ("f4", "i1", "i8", "u2", "u8", "?", "c16", "U5", "S5")
NATIVE_TYPES = ("f4", "f8", "i1", "i2", "i4")  # of NetCDF 3


def echoes():
    """Three curves of eight samples, with labels and attributes of every kind."""
    rng = np.random.default_rng(0)
    signals = {name: rng.uniform(-0.3, 0.3, (3, 8)) for name in ("mx", "my")}
    labels = {"W": np.array([0.1, 0.25, 0.3]), "kernel": np.array(["rkky", "power", "rkky"])}
    attributes = {
        "echo_index": 4, "dt_us": 0.5, "pulse_samples": [0, 2], "pulse_angles_rad": [1.5, 3.0],
        "note": "a", "deep": {"b": [1]},
    }  # fmt: skip
    dataset = assemble(signals, np.arange(8) * 0.5, labels, attributes)
    return dataset.assign_coords(run=("curve", [4, 5, 6]), usable=("curve", [True, False, True]))


def changed_arrays(array, types=TYPES):
    """Other arrays in the place of one, each with its name."""
    flat = array.ravel()
    yield from {
        "shortened": array[:-1],
        "lengthened": np.concatenate([array, array[-1:]]),
        "emptied": array[:0],
        "one value": flat[0],
        "a further axis": array[..., np.newaxis],
        "twice": np.stack([array, array]),
        "flat": flat if array.ndim > 1 else flat[:1],
        "last axis shortened": array[..., :-1],
    }.items()
    for name in types:
        if array.dtype.kind == "U" and name not in ("U5", "S5"):
            continue
        retyped = array.astype(name)
        if retyped.dtype != array.dtype and retyped.dtype.kind + array.dtype.kind != "UU":
            yield f"as {name}", retyped


def changed_entries(value, path=()):
    """Other JSON values in the place of one, at every depth, each with its name."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, entry in items:
        here = (*path, key)
        yield f"{here} removed", lambda top, here=here: _at(top, here).__delitem__(here[-1])
        for odd in (*ODD, *([entry[:-1], [*entry, *entry[-1:]]] if _is_list(entry) else [])):
            if type(odd) is not type(entry) or odd != entry:
                yield (
                    f"{here} = {odd!r}",
                    lambda top, here=here, odd=odd: _at(top, here).__setitem__(here[-1], odd),
                )
        if isinstance(entry, dict | list):
            yield from changed_entries(entry, here)


def _is_list(value):
    return isinstance(value, list) and value


def _at(top, path):
    for key in path[:-1]:
        top = top[key]
    return top


def faults_of(path, wanted, case):
    """What is wrong with how a file is read: nothing if it is refused, or holds what it held."""
    try:
        found = open_echoes(path)
    except InputError as error:
        return [f"{case}: several lines: {error}"] if "\n" in str(error) else []
    except Exception as error:
        return [f"{case}: {type(error).__name__}: {error}"]
    return [
        f"{case}: {name} is {found.get(name)}"
        for name in wanted.variables
        if name not in found.variables
        # Labels of the user's own may lie along any dimension.
        or (name not in OWN and found[name].dims != wanted[name].dims)
        or not np.array_equal(found[name], wanted[name])
    ]


def npy(array):
    content = io.BytesIO()
    np.lib.format.write_array(content, np.asarray(array), allow_pickle=False)
    return content.getvalue()


def zipped(path, members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def compact_cases(members):
    """Changed copies of the members of a compact set."""
    for name, content in members.items():
        others = {other: raw for other, raw in members.items() if other != name}
        yield f"{name} removed", others
        yield f"{name} cut", {**others, name: content[:-5]}
        if name.endswith(".npy"):
            for case, array in changed_arrays(np.load(io.BytesIO(content))):
                yield f"{name} {case}", {**others, name: npy(array)}
    yield "a strange member", {**members, "strange.npy": npy(np.arange(3))}
    header = json.loads(members["header.json"])
    for case, change in changed_entries(header):
        changed = copy.deepcopy(header)
        change(changed)
        yield f"header {case}", {**members, "header.json": json.dumps(changed).encode()}


@pytest.mark.parametrize("kind", ["complex", "version 1"])
def test_compact_sets(tmp_path, kind):
    path = OLD_COMPACT
    if kind != "version 1":
        path = tmp_path / "a.npz"
        save_compact(echoes(), path, kind)
    wanted = open_echoes(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    header = json.loads(members["header.json"])
    header.pop("checksums", None)
    members["header.json"] = json.dumps(header).encode()
    faults, n_refused = [], 0
    for case, changed in compact_cases(members):
        zipped(tmp_path / "b.npz", changed)
        faults += faults_of(tmp_path / "b.npz", wanted, case)
        n_refused += 1
    assert faults == []
    assert n_refused > 200


def read_parts(path):
    """Attributes and variables (dimensions, array, attributes) of a NetCDF file."""
    with netcdf_file(path, "r", mmap=False) as file:
        variables = {
            name: (variable.dimensions, np.array(variable.data), dict(variable._attributes))
            for name, variable in file.variables.items()
        }
        attributes = {n: v for n, v in file._attributes.items() if n != "latent_nmr_checksums"}
        return attributes, variables


def write_parts(path, attributes, variables):
    """Write them; dimensions of another size get another name."""
    sizes = {}
    with netcdf_file(path, "w") as file:
        for name, (dims, array, own) in variables.items():
            used = []
            for axis, size in enumerate(array.shape):
                dim = dims[axis] if axis < len(dims) else f"axis_{axis}"
                while sizes.get(dim, size) != size:
                    dim += "_"
                if dim not in sizes:
                    sizes[dim] = size
                    file.createDimension(dim, size)
                used.append(dim)
            variable = file.createVariable(name, array.dtype, tuple(used))
            if array.ndim:
                variable[:] = array
            else:
                variable.data = array
            for key, value in own.items():
                setattr(variable, key, value)
        for key, value in attributes.items():
            setattr(file, key, value)


def netcdf_cases(attributes, variables):
    """Changed copies of the parts of a NetCDF file."""
    for name, (dims, array, own) in variables.items():
        yield f"{name} removed", attributes, {n: v for n, v in variables.items() if n != name}
        for case, changed in changed_arrays(array, NATIVE_TYPES if array.dtype.kind != "S" else ()):
            if array.dtype.kind == "S" and case in ("last axis shortened", "flat"):
                continue  # shorter text is text
            yield f"{name} {case}", attributes, {**variables, name: (dims, np.array(changed), own)}
    notes = json.loads(attributes["latent_nmr_types"])
    for case, change in changed_entries(notes):
        changed = copy.deepcopy(notes)
        change(changed)
        yield f"types {case}", {**attributes, "latent_nmr_types": json.dumps(changed)}, variables
    for name in attributes:
        for odd in (5, -1.5, "x", "[]", "null", np.arange(3, dtype="i4"), b""):
            yield f"{name} = {odd!r}", {**attributes, name: odd}, variables


@pytest.mark.slow
def test_netcdf_files(tmp_path):
    save_echoes(echoes(), tmp_path / "a.nc")
    wanted = open_echoes(tmp_path / "a.nc")
    faults, n_cases = [], 0
    for case, attributes, variables in netcdf_cases(*read_parts(tmp_path / "a.nc")):
        write_parts(tmp_path / "b.nc", attributes, variables)
        faults += faults_of(tmp_path / "b.nc", wanted, case)
        n_cases += 1
    assert faults == []
    assert n_cases > 200


@pytest.mark.parametrize("line", [1, 2, 3])
def test_comments_of_tables(tmp_path, line):
    save_echoes(echoes(), tmp_path / "a.csv")
    wanted = open_echoes(tmp_path / "a.csv")
    lines = (tmp_path / "a.csv").read_text("utf-8").split("\n")
    lines = [text for text in lines if not text.startswith("# checksums")]
    name, _, text = lines[line].partition(": ")
    for case, change in changed_entries([json.loads(text)]):
        # Times still rise; curves may have no numbers.
        if case in ("(0, 0) = -1.5", "(0, 'curve') removed"):
            continue
        changed = [json.loads(text)]
        change(changed)
        edited = [*lines[:line], f"{name}: {json.dumps(changed[0] if changed else None)}"]
        (tmp_path / "b.csv").write_text("\n".join([*edited, *lines[line + 1 :]]), "utf-8")
        assert faults_of(tmp_path / "b.csv", wanted, f"{name} {case}") == []


@pytest.mark.parametrize("name", ["W", "mx"])
@pytest.mark.parametrize("dtype", ["int64", "float16", "int32", "uint64"])
def test_a_store_without_checksums_whose_numbers_are_said_to_be_others(tmp_path, name, dtype):
    shutil.copytree(OLD_COMPACT.with_suffix(".zarr"), tmp_path / "a.zarr")
    path = tmp_path / "a.zarr" / name / "zarr.json"
    about = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**about, "data_type": dtype, "fill_value": 0}), "utf-8")
    with pytest.raises(InputError, match=f"{name} in .* is {dtype}"):
        open_echoes(tmp_path / "a.zarr")


def test_packed_numbers_of_other_programs_are_unpacked(tmp_path):
    """NetCDF holds small integers with a scale and an offset."""
    save_echoes(echoes(), tmp_path / "a.nc")
    attributes, variables = read_parts(tmp_path / "a.nc")
    foreign = {"echo_index": attributes["echo_index"]}
    packed = {}
    for name, (dims, array, own) in variables.items():
        is_signal = name in ("mx", "my")
        values = np.round(array / 1e-4).astype("i2") if is_signal else array
        packed[name] = dims, values, own | ({"scale_factor": 1e-4} if is_signal else {})
    write_parts(tmp_path / "b.nc", foreign, packed)
    np.testing.assert_allclose(open_echoes(tmp_path / "b.nc").mx, echoes().mx, atol=1e-4)


@pytest.mark.parametrize("suffix", [".zarr", ".nc", ".npz"])
@pytest.mark.parametrize(
    ("label", "values"),
    [
        ("W", ("time", np.zeros(8))), ("kernel", ("run", ["a", "b"])),
        ("W", ("curve", ["a", "b", "c"])), ("kernel", ("curve", [1, 2, 3])),
        ("L", ("curve", [True, False, True])),
    ],
)  # fmt: skip
def test_labels_that_are_not_what_they_mean_are_neither_written_nor_read(
    tmp_path, suffix, label, values
):
    dataset = echoes().drop_vars([label, "run"], errors="ignore").assign_coords({label: values})
    with pytest.raises(InputError, match=f"{label}"):
        save_echoes(dataset, tmp_path / f"a{suffix}")
    assert list(tmp_path.iterdir()) == []
