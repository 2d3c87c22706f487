"""The page of an evaluation, read as a browser reads it."""

import base64
import re
import struct
from collections import Counter
from html.parser import HTMLParser

import pytest

from latent_nmr.analysis.score_names import SCORES
from latent_nmr.report._html import PageFigure
from latent_nmr.report.evaluation_page import page
from latent_nmr.report.score_table import Row
from latent_nmr.report.verdicts import Verdict, verdicts
from tests.evaluation_rows import EXPECTED_FLOOR, realistic_rows, scored

VOID = {"meta", "img", "input", "link", "br", "hr"}
PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 640, 480) + b"pixels"
RESULT = {
    "data": "artifacts/compact/paper.npz",
    "window": "echo",
    "normalisation": "initial",
    "n_curves": 3000,
    "n_training": 2400,
    "n_held_out": 600,
    "split_seed": 7,
    "n_neighbors": 15,
    "command": "latent-nmr evaluate paper.npz --n-seeds 5",
    "packages": {"latent-nmr": "0.1.0", "jax": "0.10.2"},
    "device": "cpu (2 cores)",
    "seconds": 125.4,
    "remarks": ["The held-out curves have no power law."],
}
NASTY = """a<b>&"c'd/<script>alert(1)</script>"""


class Reader(HTMLParser):
    """Tags of a page, its text, and what is wrong with its nesting."""

    def __init__(self, text):
        super().__init__()
        self.open, self.flaws, self.tags = [], [], []
        self.cells, self.sections = [], []
        self.text = ""
        self.feed(text)
        self.close()
        self.flaws += [f"{tag} is left open" for tag in self.open]
        self.text = plain(self.text)

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        if len(set(names)) < len(names):
            self.flaws.append(f"{tag} has an attribute twice")
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.flaws.append(f"{tag} is closed at {self.getpos()}, but is not what is open")

    def handle_data(self, data):
        if {"style", "script"}.isdisjoint(self.open):
            self.text += data
            if self.open[-1:] == ["h2"]:
                self.sections.append(data)
            if {"td", "th"} & set(self.open):
                self.cells[-1] += data

    def all(self, tag):
        """Attributes of every element of that name."""
        return [attributes for found, attributes in self.tags if found == tag]


def plain(text):
    """Text with single spaces and the minus sign of a keyboard."""
    return re.sub(r"\s+", " ", text).replace("−", "-")


def made(rows=None, said=None, figures=(), **changes):
    """The page of these rows, read."""
    rows = realistic_rows() if rows is None else rows
    said = verdicts(rows, EXPECTED_FLOOR) if said is None else said
    return Reader(page(RESULT | changes, rows, said, figures))


@pytest.fixture(scope="module")
def reader():
    return made(figures=[PageFigure("Maps", "Held-out curves.", PNG)])


def trimmed(cells):
    return [plain(cell).strip() for cell in cells]


class TestHtml:
    """The file as HTML."""

    def test_tags_are_balanced_and_the_language_is_given(self, reader):
        assert reader.flaws == []
        assert reader.all("html") == [{"lang": "en"}]

    def test_ids_are_unique_and_every_link_leads_to_one(self, reader):
        more = [row.as_json() for row in realistic_rows()]
        for found in (reader, made(tables={"held-out": more, "a": more, "b": more})):
            ids = Counter(attributes["id"] for _, attributes in found.tags if "id" in attributes)
            assert set(ids.values()) == {1}
            assert found.all("a")
            assert {link["href"].removeprefix("#") for link in found.all("a")} <= set(ids)

    def test_nothing_leads_or_asks_out_of_the_page(self, reader):
        for _, attributes in reader.tags:
            for name, value in attributes.items():
                if name in ("src", "srcset", "action", "data", "poster"):
                    assert value.startswith("data:image/png;base64,")
                if name == "href":
                    assert value.startswith("#")
        text = page(RESULT, realistic_rows(), [], [])
        assert "url(" not in text
        assert "@import" not in text
        assert not reader.all("script")
        assert not reader.all("link")

    def test_a_policy_forbids_what_a_name_might_smuggle_in(self, reader):
        (policy,) = (m["content"] for m in reader.all("meta") if "http-equiv" in m)
        assert policy.startswith("default-src 'none';")

    def test_tables_have_captions_and_heads_have_scopes(self, reader):
        # Five blocks; the 16 rank correlations of eight axes take three tables.
        assert len(reader.all("caption")) == len(reader.all("table")) == 7
        assert {attributes.get("scope") for attributes in reader.all("th")} == {
            "col",
            "row",
            "rowgroup",
        }

    @pytest.mark.parametrize(
        "changes",
        [
            *({name: NASTY} for name in ("data", "window", "normalisation", "command", "device")),
            *({name: NASTY} for name in ("split_seed", "n_neighbors")),
            {"packages": {NASTY: "1"}},
            {"packages": {"jax": NASTY}},
            {"remarks": [NASTY]},
            {"tables": {"held-out": [], NASTY: []}},
            {"tables": {"held-out": [], "more": []}, "sentences": {"more": [NASTY]}},
            {"said": [Verdict(NASTY, 2, ("Little.",))]},
            {"said": [Verdict("pca", 2, (NASTY,))]},
            {"said": [Verdict("claim", 2, (NASTY,))]},
            {"said": [Verdict("claim", 2, ("It holds.", NASTY))]},
            {"figures": [PageFigure(NASTY, "", PNG)]},
            {"figures": [PageFigure("", NASTY, PNG)]},
            {"rows": [scored(NASTY, 2, (0.7,) * 5, 0.0)]},
            {"rows": [scored("pca", 2, (0.7,) * 5, 0.0, role=NASTY)]},
        ],
    )
    def test_a_name_that_looks_like_a_tag_stays_text_wherever_it_is(self, changes):
        found = made(**({"rows": [scored("pca", 2, (0.7,) * 5, 0.0)]} | changes))
        assert found.flaws == []
        assert not found.all("script")
        assert not found.all("b")
        assert NASTY in found.text
        assert {"c'd", "onload"}.isdisjoint(name for _, a in found.tags for name in a)


class TestContent:
    """What the page says."""

    def test_every_number_of_every_row_is_in_its_table(self, reader):
        cells = Counter(plain(cell).strip(" ◆◇") for cell in reader.cells)
        wanted = Counter()
        for row in realistic_rows():
            for name in row.scores:
                wanted[row.cell(name).text(SCORES[name].digits if name in SCORES else 3)] += 1
            if row.seconds:
                wanted["3.0 ± 0.2" if len(row.seconds) > 1 else "3.0"] += 1
        assert wanted <= cells

    def test_every_sentence_is_in_it(self, reader):
        for verdict in verdicts(realistic_rows(), EXPECTED_FLOOR):
            for sentence in verdict.sentences:
                assert sentence.replace("α_x", "αx") in reader.text

    def test_verdicts_come_before_tables_before_figures(self, reader):
        assert reader.sections == [
            "Verdict",
            "Remarks",
            "Scores",
            "Figures",
            "What the scores mean",
            "To make this again",
        ]

    def test_it_says_what_was_compared_and_how(self, reader):
        for words in (
            "artifacts/compact/paper.npz · echo window · 3 000 curves",
            "a few coordinates (1, 2, 3, 4 and 8) by β-VAE, PCA, UMAP and K-means distances.",
            "split once, with seed 7: every method was fitted on 2 400 of them, without labels",
            "all scores are of the 600 held out",
            "its 15 nearest training curves in the raw coordinates",
            "sample standard deviation over seeds (1 to 5 per row; of one seed there is none)",
            "The held-out curves have no power law.",
            "latent-nmr evaluate paper.npz \\ --n-seeds 5",
            "latent-nmr 0.1.0, jax 0.10.2; computed on cpu (2 cores); 2 min 5 s.",
        ):
            assert words in reader.text

    def test_a_quoted_command_stays_on_its_line(self):
        command = "latent-nmr evaluate 'a --b.npz' --n-seeds 5"
        assert command in made([], [], command=command).text

    def test_every_score_of_the_tables_has_its_meaning(self, reader):
        for name in ("r2_W", "f1_macro", "silhouette_kernel", "rms", "active_axes"):
            assert SCORES[name].meaning in reader.text
        assert reader.text.count("Size of Spearman's coefficient") == 1
        assert SCORES["rms"].meaning not in made([scored("pca", 2, (0.1,) * 5, 0.0)]).text

    def test_ceiling_and_floor_are_called_so(self, reader):
        assert "random forest ceiling" in {
            plain(c.replace("forest", "forest ")) for c in reader.cells
        }
        roles = Counter(attributes.get("class") for attributes in reader.all("tr"))
        # In two tables, the floor at every dimension.
        assert (roles["ceiling"], roles["floor"]) == (2, 10)

    def test_no_ceiling_floor_or_label_is_spoken_of_that_is_not_there(self):
        row = Row("pca", 2, (0,), {"rms": (0.01,)})
        found = made([row])
        for words in ("ceiling", "floor", "nearest training curves"):
            assert words not in found.text

    def test_figures_are_inside_with_their_size(self, reader):
        (picture,) = reader.all("img")
        assert base64.b64decode(picture["src"].partition(",")[2]) == PNG
        assert (picture["width"], picture["height"], picture["alt"]) == ("640", "480", "Maps")
        assert "Held-out curves." in reader.text

    def test_without_figures_there_is_no_section_for_them(self):
        found = made()
        assert not found.all("figure")
        assert "#figures" not in {link["href"] for link in found.all("a")}

    def test_without_rows_and_facts_there_is_still_a_page(self):
        found = Reader(page({}, [], [], []))
        assert found.flaws == []
        assert "unknown data" in found.text

    def test_further_data_have_their_own_sentences_and_tables(self):
        row = scored("pca", 2, (0.123, 0.9, 0.3, 0.5, 0.7), 0.0, seeds=(0,))
        found = made(
            tables={"held-out": [], "other.zarr": [row.as_json()]},
            sentences={
                "held-out": ["Of the first."],
                "other.zarr": ["PCA's two axes reach little."],
            },
        )
        assert "Other data other.zarr PCA's two axes reach little." in found.text
        assert "Of the first." not in found.text
        assert "0.123" in trimmed(found.cells)

    def test_dimensions_can_be_hidden_without_a_script(self):
        text = page(RESULT, realistic_rows(), [], [])
        assert 'id="show-4" checked' in text
        assert "main:has(#show-4:not(:checked)) tbody.d4 { display: none; }" in text
        assert text.count('<tbody class="d4">') == 6  # every table but that of axes 7 and 8
        assert "checkbox" not in page(RESULT, [scored("pca", 2, (0.1,) * 5, 0.0)], [], [])


class TestMarks:
    """The best of each dimension, not by colour alone."""

    def marked(self, *rows, score="r2_W"):
        """Cells of one score, with their marks."""
        found = [Row(str(n), 2, tuple(range(len(v))), {score: v}) for n, v in enumerate(rows)]
        return [cell for cell in trimmed(made(found, []).cells) if "0." in cell]

    def test_the_best_is_full_and_what_is_within_its_spread_hollow(self):
        # Deviations 0.014: those within 0.028 of 0.71 are level with it.
        assert self.marked((0.70, 0.72), (0.68, 0.70), (0.67, 0.69)) == [
            "◆0.710 ± 0.014",
            "◇0.690 ± 0.014",
            "0.680 ± 0.014",
        ]

    def test_of_the_rms_the_least_is_best(self):
        assert self.marked((0.01,), (0.02,), score="rms") == ["◆0.0100", "0.0200"]

    @pytest.mark.parametrize("score", ["active_axes", "rho_1_W"])
    def test_where_neither_is_better_nothing_is_marked(self, score):
        assert not any("◆" in cell for cell in self.marked((0.1,), (0.2,), score=score))

    def test_one_method_alone_is_not_the_best_of_anything(self):
        assert self.marked((0.7,)) == ["0.700"]

    def test_ceiling_and_floor_do_not_compete(self):
        rows = [
            Row("pca", 2, (0,), {"r2_W": (0.5,)}),
            Row("umap", 2, (0,), {"r2_W": (0.4,)}),
            Row("forest", None, (0,), {"r2_W": (0.9,)}, "ceiling"),
            Row("shuffled", 2, (0,), {"r2_W": (0.6,)}, "floor"),
        ]
        cells = [cell for cell in trimmed(made(rows, []).cells) if "0." in cell]
        assert cells == ["0.900", "◆0.500", "0.400", "0.600"]

    def test_a_mark_has_a_name_for_who_cannot_see_it(self, reader):
        names = {a.get("aria-label") for a in reader.all("span") if a.get("class") == "mark"}
        assert names == {"best of this dimension", "within the spread of the best"}
