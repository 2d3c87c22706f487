"""Words for clusters: they say what the numbers are."""

import numpy as np
import pytest

import latent_nmr as ln
from latent_nmr.report.clusters import cluster_lines, notes_on

RNG = np.random.default_rng(0)
X = np.concatenate([RNG.normal(mean, 0.1, (20, 6)) for mean in (0, 1, 3)])
LABELS = {
    "W": X.mean(axis=1),
    "L": RNG.uniform(size=60),
    "kernel": np.array(["rkky", "power", "gaussian"] * 20),
}


@pytest.fixture(scope="module")
def facts():
    return ln.clusters(X, LABELS, n_clusters=range(1, 5)).facts


class TestLines:
    """Every number of the facts that a reader needs."""

    def test_they_say_what_the_numbers_are(self, facts):
        text = "\n".join(cluster_lines(facts, "my data"))
        first, second = (100 * r for r in facts["pca"]["explained_variance_ratio"][:2])
        assert "60 curves × 6 samples of my data" in text
        assert f"PC1 explains {first:.1f} %, PC2 {second:.1f} % of the variance" in text
        assert f"at K = {facts['elbow']}, where SSE" in text
        for count in ("2", "3"):
            described = facts["clusters"][count]
            for number, member in enumerate(described["members"], 1):
                w = member["W_MHz"]
                assert (
                    f"cluster {number}: {member['n_curves']} curves, W {w['lowest']:.3f} to "
                    f"{w['highest']:.3f} MHz" in text
                )
            for number, by_label in enumerate(described["separation"], 1):
                best = max(by_label, key=lambda label: abs(by_label[label] - 0.5))
                assert (
                    f"a curve of cluster {number + 1} has the larger value than one of cluster "
                    f"{number} with probability: {best} {by_label[best]:.2f}, " in text
                )
            assert f"{100 * described['W_overlap']['shared']:.0f} % of all curves lie" in text
            assert f"the kernel: adjusted Rand index {described['ari_kernel']:.3f}" in text

    def test_ranges_apart_leave_a_gap(self, facts):
        assert "the ranges of W leave a gap from" in "\n".join(cluster_lines(facts))

    @pytest.mark.parametrize(
        ("index", "words"),
        [(0.05, "do not follow"), (0.3, "follow in part"), (0.9, "clusters follow the")],
    )
    def test_agreement_is_put_into_words(self, facts, index, words):
        one = {**facts, "clusters": {"2": {**facts["clusters"]["2"], "ari_kernel": index}}}
        assert words in "\n".join(cluster_lines(one))


class TestNotes:
    """What cannot be said for want of labels."""

    def test_with_all_labels_there_is_none(self, facts):
        assert notes_on(facts) == []

    def test_without_any_it_is_said_and_nothing_else_is(self):
        bare = ln.clusters(X, n_clusters=range(1, 5)).facts
        assert notes_on(bare) == [
            "the data do not give W, L, kernel of every curve: no map shows it",
            "without W the clusters are numbered by the mean of their curves",
        ]
        lines = [line for line in cluster_lines(bare) if not line.startswith("note")]
        assert not any(word in line for word in (" W ", "Rand", "probab") for line in lines)

    def test_a_label_that_some_curves_lack_is_named(self):
        labels = {**LABELS, "sample": ["", *["dry"] * 59]}
        facts = ln.clusters(X, labels, n_clusters=range(1, 5)).facts
        assert notes_on(facts) == ["sample is not used, being unknown for 1 of 60 curves"]

    def test_one_kernel_has_nothing_to_follow(self):
        one = ln.clusters(X, {**LABELS, "kernel": ["rkky"] * 60}, n_clusters=range(1, 5)).facts
        assert notes_on(one) == ["all curves are of one kernel, rkky: there is none to follow"]
        assert "Rand" not in "\n".join(cluster_lines(one))
