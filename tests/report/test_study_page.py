"""Pages of sentences, a table and figures: baselines and audits."""

import re
from types import SimpleNamespace

import numpy as np
import pytest

import latent_nmr as ln
from latent_nmr.report.audit_page import audit_page
from latent_nmr.report.clusters_page import clusters_page
from latent_nmr.report.study_page import meaning_list, plain_table, sentences, study_page
from tests.report.test_evaluation_page import NASTY, Reader

RNG = np.random.default_rng(0)
X = np.concatenate([RNG.normal(mean, 0.1, (20, 6)) for mean in (0, 1, 3)])
LABELS = {
    "W": X.mean(axis=1),
    "L": RNG.uniform(size=60),
    "kernel": np.array(["rkky", "power"] * 30),
}


def contents_of(html):
    """Links of the table of contents, and the headings that they lead to."""
    links = re.findall(r'<li><a href="#([^"]+)">([^<]+)</a></li>', html)
    headings = re.findall(r'<h2 id="([^"]+)">([^<]+)</h2>', html)
    return links, headings


@pytest.fixture(scope="module")
def result():
    return ln.clusters(X, LABELS, n_clusters=range(1, 5))


@pytest.fixture(scope="module")
def html(result):
    return clusters_page(result, {"command": "latent-nmr baselines d", "data": "d"})


class TestStudyPage:
    """What every such page has."""

    def test_its_contents_lead_to_its_sections_and_leave_out_empty_ones(self):
        html = study_page(
            "Title", ["a", "b"], {"One": "<p>1</p>", "None": ""}, [], {"command": "c"}
        )
        links, headings = contents_of(html)
        assert links == headings
        assert [title for _, title in links] == ["One", "To make this again"]
        assert "<pre><code>c</code></pre>" in html

    def test_no_text_ends_an_element(self):
        sections = {
            "One": sentences([f"See {NASTY}"]) + plain_table(NASTY, [NASTY], [[NASTY, NASTY]]),
            "Two": meaning_list({NASTY: NASTY}),
        }
        html = study_page(NASTY, [NASTY], sections, [], {"command": NASTY})
        assert "<script" not in html
        page = Reader(html)
        assert page.flaws == []
        # In title and heading, facts, sentence, table (title, caption, head and two cells), both
        # parts of a meaning, and command.
        assert page.text.count(NASTY) == 12

    def test_lines_become_sentences(self):
        assert sentences([]) == ""
        assert sentences(["alpha_x is -1"]) == "<p>α<sub>x</sub> is −1.</p>"
        assert sentences(["one", "Two."]).split("\n")[1:3] == ["<li>One.</li>", "<li>Two.</li>"]


class TestClustersPage:
    """Principal components and clusters."""

    def test_every_number_of_clusters_has_a_row_and_described_ones_a_list(self, result, html):
        for count in result.facts["sse"]:
            assert f'<th scope="row">{count}</th>' in html
        for count in result.facts["clusters"]:
            assert f"<h3>K = {count}</h3>" in html
        assert html.count("<img") == len(result.figures)

    def test_it_has_contents_and_a_style_for_print(self, html):
        links, headings = contents_of(html)
        assert links == headings
        assert [title for _, title in links] == [
            "Principal components",
            "Number of clusters",
            "Clusters",
            "Figures",
            "To make this again",
        ]
        assert "@media print" in html
        assert "60 curves × 6 samples of d" in html


class TestAuditPage:
    """Where a decoder invents structure."""

    def test_every_point_has_a_row(self, result):
        point = {
            "axis": "LA1", "z": -0.5, "verdict": "faithful", "off_data": True, "rms": 0.01,
            "ratio": 1.5, "outside": 0.1, "rms_neighbours": 0.02, "worst_residual": -0.1,
            "worst_time_us": 200.0,
        }  # fmt: skip
        values = {
            "sentences": ["LA1 is faithful at z = -0.5"],
            "points": [point],
            "remarks": [],
            "scatter": "over offset maps",
            "n_curves": 50,
            "n_fitted": 0,
            "command": "latent-nmr audit echo reference",
            "model": "echo",
            "data": "reference",
        }
        drawn = SimpleNamespace(figures={"LA1_frequency": result.figures["clusters"]})
        html = audit_page(drawn, values, n_neighbors=20, n_simulations=8)
        assert "<td>faithful, off the data</td><td>0.0100</td><td>1.5</td>" in html
        assert "LA1 is faithful at z = −0.5" in html
        assert "nearest 20 at each point" in html
        assert "<h3>Traversal of LA1, frequency</h3>" in html
