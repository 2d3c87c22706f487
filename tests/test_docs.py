"""What the documents show is what the software does."""

import importlib.util
import json
import re
import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from latent_nmr.commands._shell import parse
from latent_nmr.commands.main import COMMANDS
from latent_nmr.models.pretrained import load_pretrained
from latent_nmr.report.challenge_tables import challenge_tables
from latent_nmr.report.kept_results import CHALLENGE, PROBE, read_results
from latent_nmr.report.markdown import chosen, evaluation_table
from latent_nmr.report.probe_tables import probe_tables
from latent_nmr.report.score_table import Row
from latent_nmr.report.study_tables import likelihood_table, noise_table, settings_table

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "beta_vae.md"
TABLES = ROOT / "artifacts" / "tables"
RUNS_WITH_REPEATS = (
    "polar-pair", "polar-60", "repeats-echo", "polar-pair-snr30", "repeats-full",
    "polar-pair-axes", "polar-60-carrier10", "polar-pair-snr10", "polar-60-carrier2",
    "polar-pair-15000",
)  # fmt: skip
HELD = "held-out"
SCORES_WITH_REPEATS = ("r2_W", "r2_alpha_x", "r2_alpha_z", "r2_L", "f1_macro", "repeat_scatter")


def _of_site(name):
    """A module that makes the site: no part of the package."""
    path = ROOT / "docs" / "_ext" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SITE, COMMAND_PAGES = _of_site("result_tables"), _of_site("command_pages")
DIRECTIVE = re.compile(r"^```\{result-table\} (\S+)\n(.*?)^```$", re.M | re.S)
SCORE = re.compile(r"\{score\}`([^`]+)`")
PAGES = sorted(
    page
    for page in (ROOT / "docs").rglob("*.md")
    if page.relative_to(ROOT / "docs").parts[0] not in ("_build", "generated")
)


def shown_tables(page):
    """Names of the tables that a document shows."""
    return [name for name, _ in DIRECTIVE.findall(page.read_text("utf-8"))]


def is_shown(text, page, name):
    """Whether a document shows a table of that name, and it is `text`."""
    return name in shown_tables(page) and SITE.result_table(name).text() == text


def names_in(options, option):
    found = re.search(rf"^:{option}:(.*)$", options, re.M)
    return [part.strip() for part in found[1].split(";")] if found else []


class TestTablesOfTheSite:
    """What documents show of tables is in `artifacts/`, by names that exist."""

    def test_every_table_is_made_of_files_that_are_there(self):
        for name in SITE.TABLES:
            table = SITE.result_table(name)
            assert table.rows
            assert {len(row) for row in table.rows} == {len(table.heads)}, name
            assert table.sources
            missing = [one for one in table.sources if not (SITE.ARTIFACTS / one).is_file()]
            assert missing == [], name

    def test_the_page_of_tables_in_the_repository_is_what_the_results_say(self):
        page = (TABLES / "README.md").read_text("utf-8")
        assert page == SITE.all_tables_text(), "run: python docs/_ext/result_tables.py"

    def test_every_shown_table_row_and_column_is_there(self):
        n_shown = 0
        for page in PAGES:
            text = page.read_text("utf-8")
            found = DIRECTIVE.findall(text)
            assert len(found) == text.count("{result-table}"), page
            for name, options in found:
                whole = SITE.result_table(name)
                rows, columns = names_in(options, "rows"), names_in(options, "columns")
                shown = SITE.excerpt(whole, rows, columns)
                assert 0 < len(shown.rows) <= SITE.MAX_ROWS
                n_shown += 1
        assert n_shown

    def test_every_score_in_a_sentence_is_a_cell_of_a_table(self):
        cells = [cell for page in PAGES for cell in SCORE.findall(page.read_text("utf-8"))]
        assert cells
        for cell in cells:
            assert SITE.score(*(part.strip() for part in cell.split("|")))

    def test_every_command_has_examples_that_can_be_parsed(self):
        assert set(COMMAND_PAGES.EXAMPLES) == set(COMMANDS)
        for name, (page, lines) in COMMAND_PAGES.EXAMPLES.items():
            assert (ROOT / "docs" / f"{page}.md").is_file()
            assert lines
            for line in lines:
                program, command, *words = shlex.split(line)
                assert (program, command) == ("latent-nmr", name)
                module = import_module(f"latent_nmr.commands.{name.replace('-', '_')}")
                parse(name, module.Options, words)

    def test_the_page_of_the_audit_shows_its_table(self):
        assert "audit-echo" in shown_tables(ROOT / "docs" / "audit.md")

    @pytest.mark.parametrize("model", ["echo", "polar-pair"])
    def test_the_audit_has_a_row_for_every_point_that_was_judged(self, model):
        text = (ROOT / "artifacts" / "audit" / model / "audit.json").read_text("utf-8")
        table = SITE.result_table(f"audit-{model}").text()
        points = json.loads(text)["points"]
        for point in points:
            row = (
                f"| {point['axis']}, z = {point['z']:g} | {point['verdict']} | "
                f"{'yes' if point['off_data'] else ''} | {point['rms']:.4f} | "
                f"{point['ratio']:.1f} | {point['outside']:.0%} | {point['rms_neighbours']:.4f} | "
                f"{point['worst_residual']:+.3f} at {point['worst_time_us']:.1f} |"
            )
            assert row in table
        assert len(table.splitlines()) == len(points) + 2

    def test_unknown_names_are_refused(self):
        with pytest.raises(KeyError):
            SITE.result_table("no-such-table")
        with pytest.raises(ValueError, match="no-such-row"):
            SITE.excerpt(SITE.result_table("shares"), ["no-such-row"])
        with pytest.raises(ValueError, match="no-such-column"):
            SITE.excerpt(SITE.result_table("shares"), (), ["no-such-column"])


def test_the_table_of_likelihoods_is_the_one_that_was_measured():
    measured = json.loads((ROOT / "artifacts" / "tables" / "likelihood.json").read_text("utf-8"))
    assert set(measured["windows"]) == {"echo", "full"}
    for window, found in measured["windows"].items():
        assert is_shown(likelihood_table(window, found), DOCUMENT, f"likelihood-{window}")


def test_ratios_of_the_benchmark_are_those_that_were_measured():
    path = ROOT / "artifacts" / "benchmarks" / "training.json"
    epochs = json.loads(path.read_text("utf-8"))["epochs"]
    text = DOCUMENT.read_text("utf-8")
    for name in ("torch_over_ours", "torch_fused_adam_over_ours", "times_the_floor"):
        assert f"| {epochs['echo'][name]:.2f} | {epochs['full'][name]:.2f} |" in text


def test_the_calibration_of_estimated_errors_is_the_one_that_was_measured():
    path = ROOT / "artifacts" / "benchmarks" / "error-calibration.json"
    summary = json.loads(path.read_text("utf-8"))["summary"]
    assert "calibration" in shown_tables(ROOT / "docs" / "simulator.md")
    text = SITE.result_table("calibration").text()
    for row in summary:
        shares = [f"{100 * row[name]:.1f}" for name in ("met", "within", "within_two_estimates")]
        ratios = [f"{row[name]:.2f}" for name in ("ratio_50", "ratio_99")]
        name = "all" if row["family"] == "all" else f"{row['family']}: {row['value']}"
        assert " | ".join(["", name, str(row["n"]), *shares, *ratios, ""]).strip() in text


def test_errors_of_the_sources_scheme_are_those_that_were_measured():
    path = ROOT / "artifacts" / "benchmarks" / "accuracy.json"
    measured = json.loads(path.read_text("utf-8"))
    random = f"{measured['paper']['source']['max']:.3f} among a hundred random curves"
    cases = measured["hard_cases"]["cases"]
    hard = f"{max(max(case['source_error']) for case in cases):.2f} among kernels"
    for name in ("paper/data.md", "presets.md"):
        text = " ".join((ROOT / "docs" / name).read_text("utf-8").split())
        assert random in text
        assert hard in text


@pytest.mark.slow
def test_its_examples_run_one_after_another(tmp_path):
    blocks = re.findall(r"^```python\n(.*?)^```", DOCUMENT.read_text("utf-8"), re.M | re.S)
    assert len(blocks) == 2
    code = "\n".join(blocks)
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    # Four models, by β and seed.
    assert re.findall(r"\((\d\.\d), (\d), \d+\)", run.stdout) == [
        (beta, seed) for beta in ("1.0", "4.0") for seed in "0123"
    ]


def table(name):
    return json.loads((ROOT / "artifacts" / "tables" / f"{name}.json").read_text("utf-8"))


def rows_in(tables):
    """Rows of nested tables, from their JSON."""
    if isinstance(tables, list):
        return [Row.from_json(entry) for entry in tables]
    if "scores" in tables:
        return Row.from_json(tables)
    return {name: rows_in(entry) for name, entry in tables.items()}


class TestEvaluation:
    """Every table of docs/evaluation.md is the one in artifacts/tables."""

    DOCUMENT = ROOT / "docs" / "evaluation.md"

    @pytest.mark.parametrize("window", ["echo", "full"])
    def test_scores_of_the_reference_run(self, window):
        name = f"evaluation-{window}"
        result = table(name)
        assert is_shown(evaluation_table(chosen(result, "held-out")), self.DOCUMENT, name)
        (other,) = (part for part, draw in result["line_draw"].items() if draw == "independent")
        text = evaluation_table(chosen(result, other, [2, 4]))
        assert is_shown(text, self.DOCUMENT, f"{name}-independent")

    @pytest.mark.parametrize("run", RUNS_WITH_REPEATS)
    def test_scores_of_other_pulses_and_of_repeats(self, run):
        name = f"evaluation-{run}"
        text = evaluation_table(chosen(table(name), "held-out"), SCORES_WITH_REPEATS)
        assert is_shown(text, self.DOCUMENT, name)

    def test_scores_of_materials_that_were_never_looked_at(self):
        fresh = table("evaluation-polar-pair-fresh")
        text = evaluation_table(chosen(fresh, "paper-pair-last"), SCORES_WITH_REPEATS)
        assert is_shown(text, self.DOCUMENT, "evaluation-polar-pair-fresh")
        # The same fits as those of the pair's own table, which has more methods.
        own = {(r.method, r.n_components): r for r in chosen(table("evaluation-polar-pair"), HELD)}
        for row in chosen(fresh, HELD):
            if row.role == "method":
                for name in SCORES_WITH_REPEATS[:5]:
                    known = own[row.method, row.n_components].cell(name)
                    assert row.cell(name).text(3) == known.text(3)

    def test_noise(self):
        measured = table("noise")
        shown = noise_table(rows_in(measured["tables"]), measured["settings"]["snr"])
        assert is_shown(shown, self.DOCUMENT, "noise")

    def test_settings(self):
        shown = settings_table(rows_in(table("settings")["rows"]))
        assert is_shown(shown, self.DOCUMENT, "settings")

    def test_the_readme_shows_the_same_numbers(self):
        text = " ".join((ROOT / "README.md").read_text("utf-8").split())

        def numbers(name, row, *columns):
            cells = [SITE.score(name, row, column) for column in columns]
            return ", ".join(cells[:-1]) + " and " + cells[-1] if cells[1:] else cells[0]

        three = ("R² W", "R² α_x", "R² L")
        rms = [SITE.score("evaluation-full", row, "rms") for row in ("β-VAE, 2", "PCA, 2")]
        fresh = "evaluation-polar-pair-fresh", "β-VAE with repeats, 4"
        independent, forest = "evaluation-full-independent", "random forest"
        for sentence in (
            f"R² {numbers('evaluation-full', 'β-VAE, 2', *three)} (β-VAE)",
            f"{numbers('evaluation-full', 'PCA, 2', *three)} (PCA)",
            f"an rms of {rms[0]} instead of {rms[1]}",
            f"(R² {numbers('evaluation-full', 'β-VAE, 2', 'R² α_z')} with two coordinates)",
            f"α_z with R² {numbers(*fresh, 'R² α_z')}",
            f"W with {numbers(*fresh, 'R² W')}",
            f"L with {numbers(*fresh, 'R² L')}",
            f"predicts W with R² {numbers('evaluation-full', forest, 'R² W')} on",
            f"falls to {numbers(independent, forest, 'R² W')} on",
            f"still has {numbers(independent, 'β-VAE, 2', 'R² W')}.",
        ):
            assert sentence in text


def test_every_command_has_a_row_on_the_page_of_commands():
    text = (ROOT / "docs" / "commands.md").read_text("utf-8")
    assert set(re.findall(r"^\| `([a-z-]+)", text, re.M)) == set(COMMANDS)


def test_the_time_of_the_challenges_networks_is_the_one_that_was_measured():
    path = ROOT / "artifacts" / "benchmarks" / "challenge.json"
    measured = json.loads(path.read_text("utf-8"))
    gauss, rkky = measured["2021-gauss"], measured["2021-rkky"]
    text = (ROOT / "docs" / "challenge.md").read_text("utf-8")
    assert f"takes {gauss['training_s']:.0f} s (Gaussian, {gauss['n_epochs']} epochs)" in text
    assert f"{rkky['training_s']:.0f} s (RKKY, {rkky['n_epochs']} epochs)" in text
    assert f"{gauss['torch_over_ours']:.1f} and {rkky['torch_over_ours']:.1f} times as fast" in text


class TestSupervised:
    """docs/probes.md and docs/challenge.md."""

    def test_the_tables_of_the_probes_are_those_that_were_measured(self):
        page = ROOT / "docs" / "probes.md"
        tables = list(probe_tables(read_results(TABLES, PROBE)))
        assert len(tables) == 8
        for name, text in zip(SITE.PROBES, tables, strict=True):
            assert is_shown(text, page, name)

    def test_the_tables_of_the_challenge_are_those_that_were_measured(self):
        page = ROOT / "docs" / "challenge.md"
        tables = list(challenge_tables(read_results(TABLES, CHALLENGE)))
        assert len(tables) == 6
        for name, text in zip(SITE.CHALLENGES, tables, strict=True):
            assert is_shown(text, page, name)

    def test_every_table_was_made_by_a_command_that_can_be_parsed(self):
        results = [one for kind in (PROBE, CHALLENGE) for one in read_results(TABLES, kind)]
        assert len(results) == 15
        for result in results:
            words = shlex.split(result["command"])
            assert words[0] == "latent-nmr"
            module = import_module(f"latent_nmr.commands.{words[1]}")
            parse(words[1], module.Options, words[2:])

    @pytest.mark.parametrize("name", ["challenge-gauss", "challenge-rkky"])
    def test_the_networks_that_came_along_read_the_curves_they_are_for(self, name):
        model = load_pretrained(name)
        assert model.shape_.n_targets == 3
        assert model.metadata_["inputs"] == "window"
        assert model.predict(np.zeros((1, 400))).shape == (1, 3)


@pytest.mark.parametrize("name", ["probes.md", "challenge.md"])
def test_every_picture_of_a_document_is_there(name):
    pictures = re.findall(r"!\[[^]]+\]\(([^)]+)\)", (ROOT / "docs" / name).read_text("utf-8"))
    assert pictures
    assert [p for p in pictures if not (ROOT / "docs" / p).is_file()] == []


class TestSizes:
    """The repository does not grow by pictures."""

    def test_figures_are_small_png_files(self):
        paths = [path for path in (ROOT / "artifacts").rglob("*") if path.is_file()]
        kept = [p for p in paths if p.relative_to(ROOT).parts[1] not in ("data", "runs")]
        assert [p for p in kept if p.suffix in (".pdf", ".svg", ".jpg")] == []
        figures = [p for p in kept if p.suffix == ".png"]
        assert figures
        assert [p for p in figures if p.stat().st_size > 300_000] == []

    def test_pages_are_small(self):
        pages = list((ROOT / "artifacts" / "reports").glob("*.html"))
        assert pages
        assert [p for p in pages if p.stat().st_size > 600_000] == []


def test_every_picture_that_a_document_shows_is_there():
    documents = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    shown = {
        path.parent / link
        for path in documents
        for link in re.findall(r"!\[[^]]*\]\(([^)\s]+)\)", path.read_text("utf-8"))
        if "://" not in link
    }
    assert len(shown) > 20
    assert [path for path in shown if not path.is_file()] == []
