"""Sentences computed from a table of scores."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latent_nmr.analysis.score_names import HEADLINES
from latent_nmr.report._score_words import ABOVE, BELOW, LEVEL, SPREAD_RULE, Difference
from latent_nmr.report.score_table import Cell, find_row
from latent_nmr.report.verdicts import verdicts
from tests.evaluation_rows import EXPECTED_FLOOR, MEANS, NAMES, realistic_rows, scored

CHANCE = (-0.067, -0.067, -0.067, -0.067, 0.5)
NUMBERS = st.floats(-1, 1, allow_nan=False)
CELLS = st.lists(NUMBERS, min_size=1, max_size=5).map(lambda values: Cell(tuple(values)))


def row(method, n_components, means=None, deviation=0.004, **more):
    """A row with the means of the fixture, unless others are given."""
    return scored(method, n_components, means or MEANS[method, n_components][0], deviation, **more)


def floor(n_components=2, means=CHANCE, deviation=0.01, **more):
    return scored("shuffled", n_components, means, deviation, role="floor", **more)


def ceiling(means=(0.854, 0.97, 0.55, 0.70, 0.84), **more):
    return scored("forest", None, means, 0.0, role="ceiling", **more)


def without(found, *names):
    """A row without some of its scores."""
    kept = {name: values for name, values in found.scores.items() if name not in names}
    return replace(found, scores=kept)


def text_about(method, rows, expected_floor=EXPECTED_FLOOR):
    (found,) = (v for v in verdicts(rows, expected_floor) if v.method == method)
    return found.text


class TestDifference:
    """One score of two rows."""

    def test_it_counts_beyond_the_sum_of_both_deviations_and_not_at_it(self):
        # 0 ± √2 and x ± √2: the deviations add to 2 √2 = 2.83, their root sum of squares is 2.
        theirs = Cell((-1.0, 1.0))
        assert Difference(Cell((1.5, 3.5)), theirs).side == LEVEL
        assert Difference(Cell((1.9, 3.9)), theirs).side == ABOVE
        assert Difference(Cell((-3.9, -1.9)), theirs).side == BELOW

    @given(CELLS, CELLS)
    def test_exchanging_the_rows_exchanges_the_sides(self, one, other):
        opposite = {ABOVE: BELOW, BELOW: ABOVE, LEVEL: LEVEL}
        assert Difference(other, one).side == opposite[Difference(one, other).side]

    @given(CELLS, CELLS)
    def test_there_is_a_ratio_only_of_positive_scores(self, one, other):
        ratio = Difference(one, other).ratio
        assert ratio is None or (ratio > 0 and one.mean > 0 and other.mean > other.deviation)

    def test_a_score_that_its_own_spread_takes_to_zero_divides_nothing(self):
        assert Difference(Cell((0.5,)), Cell((-0.1, 0.3))).ratio is None
        assert Difference(Cell((0.5,)), Cell((0.2, 0.3))).ratio == pytest.approx(2.0)

    def test_words_of_single_seeds_speak_of_no_spread(self):
        assert Difference(Cell((0.5,)), Cell((0.4,))).words == "above"
        assert Difference(Cell((0.4,)), Cell((0.4,))).words == "equal"
        assert Difference(Cell((0.5,)), Cell((0.4, 0.41))).words == "above by more than the spread"


class TestMethod:
    """The paragraph of a method beside the β-VAE."""

    def test_headlines_stand_by_side_with_values_ratio_and_chance(self):
        text = text_about("pca", [row("vae", 2), row("pca", 2, deviation=0.0)])
        assert text == (
            "Beside the β-VAE's two axes, PCA's two axes are above by more than the spread in "
            "R² of W (0.772 against 0.753 ± 0.004, ratio 1.03); below by more than the spread in "
            "R² of α_x (0.908 against 0.932 ± 0.004, ratio 0.97), "
            "R² of L (0.549 against 0.590 ± 0.004, ratio 0.93) and "
            "F1 macro (0.777 against 0.789 ± 0.004, ratio 0.98, chance 0.50)."
        )

    def test_what_is_within_the_spread_is_called_so(self):
        text = text_about("umap", [row("vae", 2), row("umap", 2, deviation=0.006)])
        assert "within the spread in R² of W (0.751 ± 0.006 against 0.753 ± 0.004" in text

    def test_it_says_what_share_of_the_ceiling_is_reached(self):
        text = text_about("vae", [row("vae", 2), ceiling()])
        assert text == (
            "The β-VAE's two axes reach R² of W 0.753 ± 0.004, R² of α_x 0.932 ± 0.004, "
            "R² of L 0.590 ± 0.004 and F1 macro 0.789 ± 0.004 (chance 0.50). They reach 88 % of "
            "the random forest's R² of W (0.854), 96 % of its R² of α_x (0.970), 84 % of its R² of "
            "L (0.700) and 94 % of its F1 macro (0.840, chance 0.50)."
        )

    def test_without_a_ceiling_nothing_is_said_of_one(self):
        assert "%" not in text_about("vae", [row("vae", 2)])

    def test_only_positive_scores_have_a_share_of_the_ceiling(self):
        low = row("vae", 2, (-0.2, 0.4, 0.1, -0.1, 0.5))
        text = text_about("vae", [low, ceiling()])
        assert "R² of W -0.200 ± 0.004" in text
        assert "They reach 41 % of the random forest's R² of α_x (0.970) and 60 % of its F1" in text

    def test_other_dimensions_follow_in_a_sentence(self):
        text = text_about("pca", realistic_rows())
        assert text.endswith(
            "At other dimensions, beside the β-VAE's: with one axis above in W and α_x, below in L "
            "and F1 macro; with three axes above in W, below in α_x, L and F1 macro; with four "
            "axes above in W, below in α_x, within the spread in L and F1 macro; with eight axes "
            "above in W and L, within the spread in α_x and F1 macro."
        )

    def test_the_same_side_in_every_headline_is_all_four(self):
        assert "with eight axes below in all four." in text_about("umap", realistic_rows())

    def test_one_axis_takes_the_singular(self):
        rows = [row("vae", 1), row("pca", 1), row("kmeans", 1), ceiling()]
        assert text_about("pca", rows).startswith("Beside the β-VAE's one axis, PCA's one axis is ")
        assert "It reaches 54 % of" in text_about("pca", rows)
        assert "the distance to one K-means centre is " in text_about("kmeans", rows)
        assert text_about("vae", rows).startswith("The β-VAE's one axis reaches R² of W")

    def test_dimensions_are_words_to_eight_and_digits_beyond(self):
        means = MEANS["pca", 8][0]
        assert "PCA's eight axes" in text_about("pca", [row("pca", 8)])
        assert "PCA's 12 axes" in text_about("pca", [row("pca", 12, means)])

    def test_without_a_vae_values_are_held_against_the_ceiling_alone(self):
        text = text_about("pca", [row("pca", 2, deviation=0.0), ceiling()])
        assert text.startswith("PCA's two axes reach R² of W 0.772, R² of α_x 0.908, R² of L 0.549")
        assert "They reach 90 % of the random forest's R² of W (0.854)" in text
        assert "β-VAE" not in text

    def test_a_vae_of_other_dimensions_only_is_not_compared_with(self):
        text = text_about("pca", [row("vae", 4), row("pca", 2)])
        assert text.startswith("PCA's two axes reach R² of W")
        assert text.endswith("There is no β-VAE with two axes to compare with.")

    def test_the_dimension_both_have_is_the_main_one(self):
        found = verdicts([row("vae", 4), row("pca", 2), row("pca", 4)], EXPECTED_FLOOR)
        assert [(v.method, v.n_components) for v in found] == [("claim", 4), ("vae", 4), ("pca", 4)]

    def test_a_negative_score_has_no_ratio(self):
        text = text_about("pca", [row("vae", 2), row("pca", 2, (-0.1, 0.9, 0.3, 0.5, 0.7))])
        assert "R² of W (-0.100 ± 0.004 against 0.753 ± 0.004)" in text

    def test_one_seed_of_each_has_no_spread_and_says_so(self):
        rows = [row("vae", 2, seeds=(0,)), row("umap", 2, seeds=(0,))]
        text = text_about("umap", rows)
        assert text.endswith("Of one seed there is no spread to hold these differences against.")
        assert "more than the spread" not in text
        assert "±" not in text

    def test_one_seed_beside_several_says_whose_spread_counts(self):
        rows = [row("vae", 2), row("umap", 2, seeds=(0,)), row("pca", 2, seeds=(0,))]
        end = "so the spread is that of the β-VAE alone."
        assert text_about("umap", rows).endswith(f"UMAP has one seed, {end}")
        assert text_about("pca", rows).endswith(f"PCA is deterministic, {end}")

    def test_without_labels_what_needs_none_is_compared(self):
        bare = [
            without(row(method, 2, rms=(rms, 0.0), continuity=(0.9, 0.0)), *NAMES)
            for method, rms in (("vae", 0.0097), ("pca", 0.0080))
        ]
        text = text_about("pca", bare, {})
        assert text.startswith("PCA's two axes have no score of W, α_x, L and F1 macro.")
        assert "below by more than the spread in rms (0.0080 against 0.0097, ratio 0.82)" in text
        assert "within the spread in continuity" in text

    def test_a_row_without_any_score_says_that_and_no_more(self):
        text = text_about("pca", [without(row("pca", 2), *NAMES)])
        assert text == "PCA's two axes have no score of W, α_x, L and F1 macro."

    def test_one_kernel_leaves_f1_out(self):
        rows = [without(row(method, 2), "f1_macro") for method in ("vae", "pca")]
        assert "F1" not in text_about("pca", rows)
        assert "R² of L" in text_about("pca", rows)

    def test_a_score_that_the_vae_lacks_is_given_alone(self):
        text = text_about("pca", [without(row("vae", 2), "r2_L"), row("pca", 2, deviation=0.0)])
        assert "Without a score of the β-VAE: R² of L 0.549." in text

    def test_a_score_that_is_not_a_number_is_missing(self):
        broken = row("pca", 2)
        broken = replace(broken, scores={**broken.scores, "r2_L": (float("nan"),) * 5})
        assert "R² of L" not in text_about("pca", [row("vae", 2), broken])

    def test_active_axes_of_the_vae_are_reported(self):
        rows = [row("vae", 2, active_axes=(2.0, 0.0)), row("vae", 8, active_axes=(3.4, 0.5))]
        assert text_about("vae", rows).endswith("Active axes: 2.0 of two, 3.4 ± 0.5 of eight.")

    def test_an_unknown_method_goes_by_its_name(self):
        text = text_about("ica", [row("vae", 2), scored("ica", 2, MEANS["pca", 2][0], 0.0)])
        assert text.startswith("Beside the β-VAE's two axes, ica's two axes are")


class TestClaim:
    """The paper's claim, also where the rows contradict it."""

    def judged(self, pca, kmeans=None, vae=None):
        """The paragraph on the claim for these means of W, α_x, α_z, L and F1."""
        rows = [row("vae", 2, vae), row("pca", 2, pca), floor()]
        if kmeans is not None:
            rows.append(row("kmeans", 2, kmeans))
        return text_about("claim", rows)

    def test_it_holds_if_both_are_no_better_than_shuffled_labels(self):
        text = self.judged(CHANCE, CHANCE)
        assert "043098 (2023)) holds on these data with two axes." in text
        assert (
            "PCA's two axes fail at W (-0.067 ± 0.004 against 0.753 ± 0.004), L (-0.067 ± 0.004 "
            "against 0.590 ± 0.004) and F1 macro (0.500 ± 0.004 against 0.789 ± 0.004) where the "
            "β-VAE does not."
        ) in text

    def test_it_holds_in_degree_if_they_find_less(self):
        text = self.judged((0.7, 0.9, 0.2, 0.5, 0.7), (0.6, 0.8, 0.2, 0.4, 0.6))
        assert "holds on these data in degree only with two axes." in text
        assert "PCA's two axes fail at none of these: they are below the β-VAE by more" in text

    def test_it_holds_in_part_if_one_score_is_at_chance(self):
        text = self.judged((0.76, 0.9, 0.2, -0.067, 0.6), (0.6, 0.8, 0.2, 0.4, 0.6))
        assert "holds in part on these data with two axes." in text
        assert "PCA's two axes fail at L (" in text
        assert ") where the β-VAE does not and are below the β-VAE by more than the spread" in text

    def test_it_does_not_hold_if_a_rival_is_ahead(self):
        text = text_about("claim", realistic_rows())
        assert "does not hold on these data with two axes." in text
        assert (
            "PCA's two axes fail at none of these: they are below the β-VAE by more than the "
            "spread in L (0.549 against 0.590 ± 0.004) and F1 macro (0.777 against 0.789 ± 0.004) "
            "and above the β-VAE by more than the spread in W (0.772 against 0.753 ± 0.004)."
        ) in text
        assert "The distances to two K-means centres fail at none of these" in text

    def test_it_does_not_hold_if_the_vae_fails_too(self):
        text = self.judged(CHANCE, CHANCE, vae=CHANCE)
        assert "does not hold on these data" in text
        assert "as the β-VAE does." in text

    def test_chance_is_three_deviations_of_the_floor_and_one_of_the_method(self):
        # The floor's mean -0.067, its deviation 0.01, the method's 0.004: up to -0.033.
        assert "fail at W" in self.judged((-0.034, 0.9, 0.2, 0.5, 0.7))
        assert "fail at none" in self.judged((-0.032, 0.9, 0.2, 0.5, 0.7))

    def test_without_a_floor_chance_is_what_is_expected(self):
        rows = [row("vae", 2), row("pca", 2, CHANCE)]
        assert "fail at W" in text_about("claim", rows)

    def test_where_chance_is_not_known_nobody_is_said_to_fail_or_not(self):
        text = text_about("claim", [row("vae", 2), row("pca", 2, CHANCE)], {})
        assert "PCA's two axes are below the β-VAE by more than the spread in W (" in text
        assert "Of a score without shuffled labels nobody can be said to fail." in text
        assert "nobody" not in text_about("claim", realistic_rows())

    def test_the_rule_of_the_spread_is_stated(self):
        assert text_about("claim", realistic_rows()).endswith(SPREAD_RULE)

    def test_of_single_seeds_no_spread_is_spoken_of(self):
        rows = [row("vae", 2, seeds=(0,)), row("pca", 2, seeds=(0,)), row("kmeans", 2, seeds=(0,))]
        text = text_about("claim", rows)
        assert "spread" not in text
        assert text.endswith("These are single seeds: what another would give is not known.")

    @pytest.mark.parametrize(
        ("rows", "reason"),
        [
            ([row("pca", 2)], "there is no β-VAE among the methods"),
            ([row("vae", 2)], "neither PCA nor K-means is there at a dimension of the β-VAE"),
            ([row("vae", 2), row("pca", 4)], "neither PCA nor K-means is there"),
            ([without(row(m, 2), *NAMES) for m in ("vae", "pca")], "W, L and the kernel have no"),
            ([], "there is no β-VAE among the methods"),
        ],
    )
    def test_where_it_cannot_be_judged_the_reason_is_given(self, rows, reason):
        assert f"cannot be judged here: {reason}" in text_about("claim", rows)

    def test_what_is_missing_leaves_a_part_open(self):
        rows = [without(row(method, 2), "f1_macro") for method in ("vae", "pca")]
        assert (
            "K-means has no such scores at this dimension and there is no score of F1 macro, so "
            "this part of it is open."
        ) in text_about("claim", rows)


class TestFloor:
    """Whether shuffled labels are at chance."""

    def test_within_three_deviations_they_are(self):
        near = floor(4, (-0.038, *CHANCE[1:]))
        text = text_about("shuffled", [row("vae", 2), floor(), near])
        assert text == (
            "Shuffled labels are at chance, within three standard deviations over seeds, in all "
            "8 scores looked at."
        )

    def test_a_score_beyond_is_named_with_what_is_expected(self):
        astray = floor(4, (-0.067, -0.067, -0.067, -0.036, 0.5))
        text = text_about("shuffled", [floor(), astray])
        assert "not at chance, within three standard deviations over seeds, in 1 of 8" in text
        assert "R² of L with four axes -0.036 ± 0.010, expected -0.067." in text

    def test_one_seed_decides_nothing(self):
        text = text_about("shuffled", [floor(seeds=(0,))])
        assert text == (
            "Shuffled labels have one seed, so no spread says whether they are at chance: they "
            "give what is expected."
        )
        off = floor(means=(-0.02, -0.067, -0.067, -0.067, 0.5), seeds=(0,))
        assert "R² of W with two axes -0.020, expected -0.067." in text_about("shuffled", [off])

    def test_without_expectations_or_a_floor_nothing_is_said(self):
        assert [v.method for v in verdicts([floor()], {})] == ["claim"]
        assert [v.method for v in verdicts([row("vae", 2)], EXPECTED_FLOOR)] == ["claim", "vae"]


class TestVerdicts:
    """The list of all paragraphs."""

    def test_the_claim_comes_first_and_the_floor_last(self):
        found = verdicts(realistic_rows(), EXPECTED_FLOOR)
        methods = ["claim", "vae", "pca", "umap", "kmeans", "shuffled"]
        assert [(v.method, v.n_components) for v in found] == [(name, 2) for name in methods]

    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["vae", "pca", "umap", "kmeans", "forest", "shuffled"]),
                st.sampled_from([1, 2, 3, 12]),
                st.sets(st.sampled_from([*HEADLINES, "rms"])),
                st.lists(NUMBERS, min_size=1, max_size=3),
            ),
            max_size=8,
            unique_by=lambda entry: entry[:2],
        )
    )
    def test_any_rows_give_whole_sentences(self, entries):
        rows = []
        for method, n_components, names, values in entries:
            role = {"forest": "ceiling", "shuffled": "floor"}.get(method, "method")
            found = row("vae", 2, seeds=tuple(range(len(values))), role=role)
            scores = {name: tuple(values) for name in sorted(names)}
            rows.append(replace(found, method=method, n_components=n_components, scores=scores))
        methods = {found.method for found in rows if found.role == "method"}
        found = verdicts(rows, EXPECTED_FLOOR)
        assert methods <= {verdict.method for verdict in found}
        for verdict in found:
            assert verdict.text[0].isupper()
            assert verdict.text.endswith(".")
            for flaw in ("  ", "..", ",,", " .", "( ", "None", "nan", "in ;", "in ."):
                assert flaw not in verdict.text

    def test_every_number_is_one_of_the_rows(self):
        rows = realistic_rows()
        text = text_about("kmeans", rows)
        for name in HEADLINES:
            for method in ("kmeans", "vae"):
                cell = find_row(rows, method, 2).cell(name)
                assert cell.text(3) in text
