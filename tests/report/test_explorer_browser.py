"""The explorer's page in Chromium and Firefox, from a file and without a network."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import latent_nmr as ln
from tests.browsers import Chromium, Firefox

pytestmark = [pytest.mark.browser, pytest.mark.slow]
N_POINTS = 500
AGREEMENT = 2e-3
FRAME_MS = 16
WIDE, NARROW = (1440, 900), (390, 844)
MODELS = ("echo", "full")


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Whole pages of the shipped models, where pictures of them go too."""
    folder = tmp_path_factory.mktemp("pages")
    return {name: ln.explore(name).save(folder / f"{name}.html") for name in MODELS}


@pytest.fixture(scope="module", params=[Chromium, Firefox], ids=["chromium", "firefox"])
def browser(request, tmp_path_factory):
    opened = request.param(tmp_path_factory.mktemp("profile") / "own")
    yield opened
    opened.close()


@pytest.fixture
def show(browser, pages):
    """Open a page and wait until its map is judged."""

    def open_page(name="echo", state="", size=WIDE):
        browser.size(*size)
        browser.open(pages[name].as_uri() + state)
        browser.wait_for("document.body !== null && document.body.classList.contains('judged')")
        return browser

    return open_page


def on_map(browser, first, second):
    """Pixels of a latent point in the window."""
    browser.evaluate("window.scrollTo(0, 0)")
    return browser.evaluate(
        "(() => { const { left, top } = document.getElementById('map').getBoundingClientRect();"
        "const { x, y } = explorer.app.place;"
        f"return [left + x({first}), top + y({second})]; }})()"
    )


def settled(browser):
    """Wait for the next frame and for what is written a little later; returns the state."""
    browser.evaluate("new Promise((done) => setTimeout(done, 300))")
    return browser.evaluate("explorer.app.state")


class TestNetworks:
    """Decoder and encoder as Python's."""

    @pytest.mark.parametrize("name", MODELS)
    def test_they_agree_on_500_points(self, show, name):
        model, data = ln.load_pretrained(name), ln.load_reference()
        rows = ln.features(data, window=name)[:: 3000 // N_POINTS].astype(float)
        points = np.random.default_rng(0).uniform(-2.5, 2.5, (N_POINTS, 2))
        browser = show(name)
        curves, means = [], []
        for part in range(0, N_POINTS, 50):
            own = slice(part, part + 50)
            curves += browser.evaluate(
                f"{points[own].tolist()}.map((point) => Array.from(explorer.decode(point)))"
            )
            means += browser.evaluate(
                f"{rows[own].tolist()}.map((row) => Array.from(explorer.encode(row).mean))"
            )
        np.testing.assert_allclose(curves, model.inverse_transform(points), atol=AGREEMENT, rtol=0)
        np.testing.assert_allclose(means, model.transform(rows), rtol=0, atol=AGREEMENT)

    def test_nothing_is_fetched(self, show):
        browser = show()
        assert browser.evaluate("performance.getEntriesByType('resource').length") == 0
        refused = browser.evaluate("fetch('https://example.org').then(() => false, () => true)")
        assert refused


class TestHands:
    """Pointer, keys, files."""

    def test_the_curve_follows_the_pointer(self, show):
        browser = show()
        browser.mouse(("move", *on_map(browser, -1, 1.0)), ("move", *on_map(browser, 0.5, -0.6)))
        state = settled(browser)
        assert state["z"] == pytest.approx([0.5, -0.6], abs=0.02)
        assert not state["isHeld"]
        text = browser.evaluate("document.getElementById('point').textContent")
        assert re.fullmatch(r"LA1 = 0\.[45]\d, LA2 = −0\.[56]\d", text)
        assert "W = 0." in browser.evaluate("document.getElementById('labels').textContent")

    def test_a_click_holds_the_point_and_the_address_keeps_it(self, show):
        browser = show()
        place = on_map(browser, 0.5, -0.6)
        browser.mouse(("move", *place), ("press", *place), ("release", *place))
        held = settled(browser)
        assert held["isHeld"]
        browser.mouse(("move", *on_map(browser, -1, 1.0)))
        assert settled(browser) == held
        address = browser.evaluate("location.hash")
        again = show(state=address)
        assert again.evaluate("explorer.app.state")["z"] == pytest.approx(held["z"], abs=1e-4)
        browser.mouse(("move", *place), ("press", *place), ("release", *place))
        assert not settled(browser)["isHeld"]

    def test_dragging_along_the_scale_of_an_axis_is_a_traversal(self, show):
        browser = show(state="#z=0,-0.6")
        (start, y), (stop, _) = on_map(browser, -1, 0), on_map(browser, 1, 0)
        bottom = browser.evaluate(
            "document.getElementById('map').getBoundingClientRect().top + explorer.app.place.box[3]"
        )
        y = bottom + 12
        steps = ("press", start, y), ("move", (start + stop) / 2, y), ("move", stop, y)
        browser.mouse(("move", start, y), *steps, ("release", stop, y))
        state = settled(browser)
        assert state["traversal"] == 1
        assert state["z"] == pytest.approx([1, -0.6], abs=0.02)

    def test_keys_move_colour_and_traverse(self, show):
        browser = show(state="#z=0,0")
        browser.evaluate("document.getElementById('map').focus()")
        for key in ("ArrowRight", "ArrowRight", "ArrowUp", "c", "t"):
            browser.key(key)
        state = settled(browser)
        assert state == {
            "z": pytest.approx([0.1, 0.05]),
            "colour": "L",
            "traversal": 1,
            "isHeld": True,
        }
        browser.key("Escape")
        assert settled(browser)["traversal"] == 0
        browser.key("Home")
        assert settled(browser)["z"] == [0, 0]

    def test_an_echo_in_a_file_gets_its_point(self, show, tmp_path):
        data, model = ln.load_reference(n_curves=30), ln.load_pretrained("echo")
        own = data.magnitude[7].values
        rows = zip(data.time.values, own, strict=True)
        table = "\n".join(["time (µs),|M|", *(f"{t:.6f},{m:.6f}" for t, m in rows)])
        (tmp_path / "mine.csv").write_text(table, "utf-8")
        browser = show()
        browser.choose_file("#file", tmp_path / "mine.csv")
        browser.wait_for("!document.getElementById('echo').hidden")
        wanted = model.transform(ln.features(data, window="echo"))[7]
        assert browser.evaluate("Array.from(explorer.app.echo.mean)") == pytest.approx(
            wanted, abs=2 * AGREEMENT
        )
        verdict = browser.evaluate("document.getElementById('echo-verdict').textContent")
        assert verdict.startswith("Inside")
        (tmp_path / "other.csv").write_text("1,2\n3,4", "utf-8")
        browser.choose_file("#file", tmp_path / "other.csv")
        browser.wait_for("!document.getElementById('complaint').hidden")
        said = browser.evaluate("document.getElementById('complaint').textContent")
        assert said == "other.csv: the file must hold at least 20 lines of numbers, but holds 2."

    def test_pictures_and_tables_are_whole(self, show, tmp_path):
        browser = show(state="#z=0.5,-0.6&traversal=2")
        picture = ET.fromstring(browser.evaluate("explorer.asPicture()"))
        texts = [
            "".join(text.itertext()) for text in picture.iter("{http://www.w3.org/2000/svg}text")
        ]
        assert {"decoder invents", "power law", "decoded", "traversal of LA2"} <= set(texts)
        (tmp_path / "curve.csv").write_text(browser.evaluate("explorer.asTable()"), "utf-8")
        table = np.genfromtxt(tmp_path / "curve.csv", delimiter=",", skip_header=3)
        wanted = ln.load_pretrained("echo").inverse_transform(np.array([[0.5, -0.6]]))[0]
        np.testing.assert_allclose(table[:, 1], wanted, rtol=0, atol=AGREEMENT)


class TestPlace:
    """How it looks, and how quick it is."""

    @pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
    @pytest.mark.parametrize("name", MODELS)
    def test_it_fits_the_window(self, show, pages, request, name, size):
        browser = show(name, "#z=0.5,-0.6&traversal=1", size)
        assert browser.evaluate("document.documentElement.scrollWidth") <= size[0]
        map_, curves = (
            browser.evaluate(f"document.getElementById('{part}').getBoundingClientRect().toJSON()")
            for part in ("map", "curves")
        )
        assert min(map_["width"], curves["width"]) >= 350
        # Map and curves are seen together, without scrolling.
        assert max(map_["bottom"], curves["bottom"]) <= size[1]
        browser.picture(pages[name].with_name(f"{request.node.name}.png"))

    @pytest.mark.parametrize("name", MODELS)
    def test_a_frame_takes_less_than_the_screen_s(self, show, name):
        browser = show(name)
        times = browser.evaluate(
            "(() => { const { app } = explorer, times = []; for (let i = 0; i < 60; i += 1) {"
            "app.move([i / 60, -0.5]); const start = performance.now(); app.draw();"
            "times.push(performance.now() - start); } return times; })()"
        )
        # Other programs of this machine take turns in some of them.
        assert np.percentile(times, 25) < FRAME_MS
