"""The page on which one moves through a latent space: one file, and networks that agree."""

import base64
import hashlib
import json
import re
import shutil
import subprocess

import numpy as np
import pytest

import latent_nmr as ln
from latent_nmr.analysis.audit import BAND_WIDTH, LIMIT_QUANTILE
from latent_nmr.analysis.neighbourhood import spacing
from latent_nmr.errors import InputError
from latent_nmr.report.explorer import _assembly
from latent_nmr.report.explorer._assembly import MODULES, assemble, whole_script
from tests.explorer_in_node import MODULES as FOLDER
from tests.explorer_in_node import NEEDS_NODE, in_node

N_POINTS = 500
# Half precision keeps eleven bits of a weight; what page and Python may differ by.
AGREEMENT = 2e-3


@pytest.fixture(scope="module")
def model():
    return ln.load_pretrained("echo")


@pytest.fixture(scope="module")
def reference():
    return ln.load_reference(n_curves=N_POINTS)


@pytest.fixture(scope="module")
def explorer(reference):
    return ln.explore("echo", reference)


@pytest.fixture(scope="module")
def page(explorer, tmp_path_factory):
    return explorer.save(tmp_path_factory.mktemp("explorer") / "map.html")


@pytest.fixture(scope="module")
def rows(reference):
    return ln.features(reference, window="echo")


@pytest.fixture(scope="module")
def found(page, rows, points):
    return in_node(
        page,
        decode=points.tolist(),
        encode=rows.astype(float).tolist(),
        curve=[0, 1, 499],
        arrays=["latent", "time"],
    )


@pytest.fixture(scope="module")
def points():
    return np.random.default_rng(0).uniform(-3, 3, (N_POINTS, 2))


@pytest.fixture(scope="module")
def curve(reference):
    return reference.time.values, reference.magnitude[7].values


class TestFile:
    """One file that fetches nothing."""

    def test_it_names_no_other_file_and_no_address(self, page):
        html = page.read_text("utf-8")
        assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)", html)
        script = re.sub(r"^\s*(//|/?\*).*$", "", html, flags=re.MULTILINE)
        assert not re.findall(
            r"<link|<img|\bsrc=|\bimport\b *[({\"]|\bfetch\(|\burl\((?!#)", script
        )
        assert "default-src 'none'" in html

    def test_the_shipped_models_stay_small(self, model, page):
        assert page.stat().st_size < 5e5
        assert len(ln.explore(model, ln.load_reference()).html.encode()) < 1e6

    def test_the_policy_allows_the_script_of_the_page_and_no_other(self, page):
        html = page.read_text("utf-8")
        (script,) = re.findall(r'<script type="module">(.*?)</script>', html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"script-src 'sha256-{digest}'" in html

    def test_texts_of_labels_and_titles_end_no_element(self, explorer):
        nasty = "</script><b>&amp;"
        facts, arrays = explorer.content
        texts = {"title": nasty, "lead": nasty, "wanted": nasty, "footer": ""}
        html = assemble({**facts, "title": nasty}, arrays, texts)
        assert html.count("</script>") == 3
        assert "&lt;/script&gt;&lt;b&gt;&amp;amp;" in html
        content = re.search(r'id="facts">(.*?)</script>', html, re.DOTALL)
        assert content is not None
        assert json.loads(content[1])["title"] == nasty

    def test_every_module_is_on_the_page_and_none_is_long(self):
        files = {path.stem: path for path in FOLDER.glob("*.mjs")}
        assert set(MODULES) == set(files)
        for path in files.values():
            assert len(path.read_text("utf-8").splitlines()) <= 320, path

    def test_a_module_that_comes_too_early_is_noticed(self, monkeypatch):
        monkeypatch.setattr(_assembly, "MODULES", MODULES[::-1])
        with pytest.raises(AssertionError, match="come later"):
            whole_script()

    @pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
    def test_the_modules_have_no_name_twice(self, tmp_path):
        (tmp_path / "all.mjs").write_text(whole_script(), "utf-8")
        command = ["node", "--check", tmp_path / "all.mjs"]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr


@NEEDS_NODE
class TestAgreement:
    """Networks of the page under Node, on 500 points, beside Python's."""

    def test_the_decoder_agrees(self, model, found, points):
        curves = model.inverse_transform(points)
        assert np.ptp(curves, axis=0).min() > 0.05  # every value depends on the point
        np.testing.assert_allclose(found["decode"], curves, rtol=0, atol=AGREEMENT)

    def test_the_encoder_agrees(self, model, found, rows):
        mean = [row["mean"] for row in found["encode"]]
        deviation = [row["deviation"] for row in found["encode"]]
        np.testing.assert_allclose(mean, model.transform(rows), rtol=0, atol=AGREEMENT)
        np.testing.assert_allclose(deviation, model.transform_std(rows), rtol=0, atol=AGREEMENT)

    def test_points_and_times_are_those_of_the_data(self, model, reference, rows, found):
        latent, time = found["arrays"]
        np.testing.assert_allclose(np.reshape(latent, (-1, 2)), model.transform(rows), atol=1e-5)
        np.testing.assert_allclose(time, reference.time[1056:1456], rtol=1e-6)

    def test_curves_are_kept_to_half_a_level(self, rows, found):
        step = np.ptp(rows) / 255
        np.testing.assert_allclose(found["curve"], rows[[0, 1, 499]], rtol=0, atol=0.501 * step)

    def test_the_nearest_curve_is_the_nearest(self, model, rows, page, points):
        found = in_node(page, nearest=points[:20].tolist())["nearest"]
        distance = np.linalg.norm(points[:20, None] - model.transform(rows)[None], axis=2)
        order = np.argsort(distance, axis=1)[:, :3]
        assert [row["rows"] for row in found] == order.tolist()
        wanted = np.take_along_axis(distance, order, axis=1)
        np.testing.assert_allclose([row["distances"] for row in found], wanted, atol=1e-5)

    @pytest.mark.slow
    @pytest.mark.parametrize("name", ["echo", "full"])
    def test_whole_pages_of_the_shipped_models_agree(self, name, tmp_path):
        model, data = ln.load_pretrained(name), ln.load_reference()
        page = ln.explore(name).save(tmp_path / "map.html")
        assert page.stat().st_size < {"echo": 1e6, "full": 4e6}[name]
        own = ln.features(data, window=name)[::6]
        Z = model.transform(own)
        found = in_node(page, encode=own.astype(float).tolist(), decode=Z.astype(float).tolist())
        mean = [row["mean"] for row in found["encode"]]
        np.testing.assert_allclose(mean, Z, rtol=0, atol=AGREEMENT)
        curves = model.inverse_transform(Z)
        np.testing.assert_allclose(found["decode"], curves, rtol=0, atol=AGREEMENT)


@NEEDS_NODE
class TestJudgement:
    """Where the page says that the decoder can be trusted."""

    def test_it_is_the_audit_s_without_new_simulations(self, model, rows, page):
        Z = model.transform(rows).astype(float)
        points = np.random.default_rng(1).uniform(-2, 2, (30, 2))
        found = in_node(
            page, judge=points.tolist(), decode=points.tolist(), curve=list(range(N_POINTS))
        )
        near, shown = spacing(Z, 20), np.array(found["curve"])
        for point, decoded, own in zip(points, found["decode"], found["judge"], strict=True):
            distance = np.linalg.norm(Z - point, axis=1)
            nearest = np.argsort(distance)[:20]
            mean = distance[nearest].mean()
            assert own["distance"] == pytest.approx(mean, abs=1e-4)
            assert own["offData"] == pytest.approx(mean - near.edge, abs=1e-4)
            curves = shown[nearest]
            beyond = excess(np.array(decoded), curves, BAND_WIDTH)
            assert own["excess"] == pytest.approx(beyond, abs=1e-6)
            others = [
                excess(curves[i], np.delete(curves, i, axis=0), BAND_WIDTH) for i in range(20)
            ]
            limit = float(np.quantile(others, LIMIT_QUANTILE))
            assert own["limit"] == pytest.approx(limit, abs=1e-6)

    def test_the_page_begins_where_the_decoder_is_trusted_near_the_middle(self, model, rows, page):
        Z = model.transform(rows)
        start = in_node(page, start=None)["start"]
        judged = in_node(page, judge=[start])["judge"][0]
        assert judged["offData"] <= 0
        assert judged["invents"] <= 0
        distance = np.linalg.norm(Z - np.median(Z, axis=0), axis=1)
        assert np.linalg.norm(Z - start, axis=1).min() < 1e-5  # a curve
        assert np.linalg.norm(start - np.median(Z, axis=0)) < np.quantile(distance, 0.25)


def excess(curve, neighbours, width):
    """Root mean square of what a curve exceeds the band of its neighbours by."""
    beyond = np.abs(curve - neighbours.mean(axis=0)) - width * neighbours.std(axis=0, ddof=1)
    return np.sqrt(np.mean(np.maximum(beyond, 0) ** 2))


def text_of(time, *columns, head="time (µs),|M|", join=","):
    """A table of an echo."""
    rows = zip(time, *columns, strict=True)
    return "\n".join([head, *(join.join(f"{value:.7g}" for value in row) for row in rows)])


@NEEDS_NODE
class TestRecords:
    """An echo that is dropped on the page."""

    def test_features_are_those_of_python(self, rows, page, curve):
        time, magnitude = curve
        phase = np.exp(0.7j) * magnitude
        part = slice(1050, 1460)
        texts = [
            (text_of(time, magnitude), None),
            (text_of(time[part], 80 * magnitude[part]), 40),
            (text_of(time / 1e6, magnitude, head="t (s);M", join=";"), None),
            (text_of(time / 1e3, phase.real, phase.imag, head="t_ms Re Im", join=" "), None),
            (text_of(time[part], 2 * magnitude[part], head="time (µs),decoded |M| / |M(0)|"), None),
            (text_of(time, magnitude).replace(",", ";").replace(".", ","), None),
        ]
        for found in in_node(page, features=texts)["features"]:
            np.testing.assert_allclose(found["row"], rows[7], rtol=0, atol=1e-4)

    def test_what_cannot_be_placed_is_refused_with_its_cause(self, page, curve):
        time, magnitude = curve
        texts = [
            (text_of(time[:1200], magnitude[:1200]), None),
            (text_of(time[1050:1460], magnitude[1050:1460]), None),
            ("1 2\n3 4", None),
            (text_of(time[::-1], magnitude), None),
            (text_of(time, magnitude) + "\nend,of,file", None),
        ]
        found = in_node(page, features=texts)["features"]
        for own, cause in zip(
            found,
            ["must reach from", r"enter \|M\(0\)\|", "at least 20 lines", "must rise", "“end,of"],
            strict=True,
        ):
            assert re.search(cause, own["error"]), own
        assert [bool(own.get("needsM0")) for own in found] == [False, True, False, False, False]

    def test_the_top_of_an_echo_is_found_as_python_finds_it(self, tmp_path, reference):
        page = ln.explore("measured-echo").save(tmp_path / "map.html")
        curves = [3, 7, 40]
        wanted = ln.features(reference.isel(curve=curves), window="top", normalisation="height")
        time = reference.time.values
        texts = [(text_of(time, 12 * reference.magnitude[row].values), None) for row in curves]
        found = in_node(page, features=texts)["features"]
        for own, row in zip(found, wanted, strict=True):
            np.testing.assert_allclose(own["row"], row, rtol=0, atol=2e-3)


@NEEDS_NODE
class TestAddress:
    """What is chosen is in the address."""

    def test_an_address_gives_back_its_state(self, page):
        hashes = ["#z=0.5,-0.6&colour=kernel&traversal=2", "#colour=rms", ""]
        found = in_node(page, hash=hashes)["hash"]
        assert found[0]["hash"] == hashes[0]
        assert found[0]["state"] == {
            "z": [0.5, -0.6],
            "colour": "kernel",
            "traversal": 2,
            "isHeld": True,
        }
        assert [own["hash"] for own in found[1:]] == ["#colour=rms", "#colour=W"]

    def test_what_an_address_says_wrongly_is_left_out(self, page):
        wrong = ["#z=1,2,3", "#z=a,b&traversal=9", "#colour=%E0%A4%A", "#z=1e9,0", "#&&="]
        found = [own["state"] for own in in_node(page, hash=wrong)["hash"]]
        assert [state["z"] for state in found[:3]] == [[0, 0]] * 3
        assert {state["colour"] for state in found} == {"W"}
        assert found[3]["z"][0] < 10


class TestExplore:
    """What the function takes."""

    def test_a_model_of_phases_asks_for_data(self):
        with pytest.raises(InputError, match="data must be given for a model that sees the phase"):
            ln.explore("polar-60")

    def test_data_must_have_five_curves(self, reference):
        with pytest.raises(InputError, match="at least five curves"):
            ln.explore("echo", reference.isel(curve=slice(4)))

    def test_other_times_are_refused(self, reference):
        with pytest.raises(InputError, match="time grid"):
            ln.explore("echo", reference.assign_coords(time=reference.time * 2))

    def test_labels_of_one_s_own_colour_the_points(self, reference):
        own = reference.isel(curve=slice(20))
        own = own.assign_coords(sample=("curve", ["A", "B"] * 10), T=("curve", np.arange(20.0)))
        facts, arrays = ln.explore("echo", own).content
        names = [label["name"] for label in facts["labels"]]
        assert {"sample", "T", "rms", "W"} <= set(names)
        assert arrays["label/sample"].tolist() == [0, 1] * 10
