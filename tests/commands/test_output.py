"""Where commands write: one policy for outputs and reruns, and nothing lost."""

import json
import shlex
from dataclasses import dataclass
from pathlib import Path

import pytest

from latent_nmr.commands._output import Output
from latent_nmr.commands._settings import command_of, settings_of
from latent_nmr.errors import InputError


@dataclass(frozen=True)
class Options:
    """Options of a command."""

    data: Path = Path("my data.zarr")
    methods: tuple[str, ...] = ("pca", "vae")
    models: tuple[Path, ...] = ()
    window: str = "echo"
    n_curves: int | None = None
    ceiling: bool = True
    verdict: bool = False
    out: Path | None = None
    force: bool = False
    json: bool = False


def digest(path):
    return path.read_text("utf-8")


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "data.txt"
    path.write_text("first", "utf-8")
    return path


def folder_output(tmp_path, **options):
    return Output("evaluate", Options(**options), tmp_path / "out")


def file_output(tmp_path, **options):
    return Output("embed", Options(**options), tmp_path / "out.csv", is_file=True)


def run(output, data, text="numbers"):
    """A whole run, as commands do it; returns what it reports."""
    finished = output.finished({data: digest})
    if finished is not None:
        return finished
    inputs = {data: digest(data)}
    if output.is_file:
        with output.file() as staging:
            staging.write_text(text, "utf-8")
        return output.write_manifest({"score": 1}, inputs), ""
    with output.folder(kept=("steps",)) as work:
        (work / "scores.csv").write_text(text, "utf-8")
        return output.write_manifest({"score": 1}, inputs, work), ""


def fail_half_way(output):
    """Begin a run that ends with an error."""
    if output.is_file:
        with output.file() as staging:
            staging.write_text("half", "utf-8")
            raise ZeroDivisionError
    with output.folder() as work:
        (work / "scores.csv").write_text("half", "utf-8")
        (work / "steps").mkdir()
        (work / "steps" / "a.json").write_text("done", "utf-8")
        raise ZeroDivisionError


LONELY_COMMAND = '{"command": "x", "settings": {}, "inputs": {}, "files": []}'
BOTH = pytest.mark.parametrize("make", [folder_output, file_output])


class TestReruns:
    """Equal settings report, other settings refuse."""

    @BOTH
    def test_an_equal_run_is_reported(self, make, tmp_path, data):
        first, _ = run(make(tmp_path), data)
        values, remark = run(make(tmp_path), data, "other numbers")
        assert values == first
        assert values["score"] == 1
        assert "already finished" in remark

    @BOTH
    def test_where_and_how_results_appear_is_no_setting(self, make, tmp_path, data):
        run(make(tmp_path), data)
        _, remark = run(make(tmp_path, json=True), data)
        assert "already finished" in remark

    @BOTH
    def test_other_settings_are_named(self, make, tmp_path, data):
        run(make(tmp_path), data)
        with pytest.raises(InputError, match=r"window = 'echo' and 'full' is asked for.*--force"):
            run(make(tmp_path, window="full"), data)

    @BOTH
    def test_other_data_are_named(self, make, tmp_path, data):
        run(make(tmp_path), data)
        data.write_text("second", "utf-8")
        with pytest.raises(InputError, match=r"data\.txt has changed"):
            run(make(tmp_path), data)

    @BOTH
    def test_a_run_whose_data_are_gone_is_still_reported(self, make, tmp_path, data):
        run(make(tmp_path), data)
        data.unlink()
        _, remark = run(make(tmp_path), data)
        assert f"{data} is gone" in remark

    @BOTH
    def test_force_recomputes(self, make, tmp_path, data):
        run(make(tmp_path), data)
        output = make(tmp_path, force=True, window="full")
        run(output, data, "new numbers")
        path = output.out if output.is_file else output.out / "scores.csv"
        assert path.read_text("utf-8") == "new numbers"
        assert json.loads(output.manifest.read_text("utf-8"))["settings"]["window"] == "full"

    @BOTH
    @pytest.mark.parametrize("content", ["", "{}", '{"settings": 1}', "[1]", LONELY_COMMAND])
    def test_a_damaged_manifest_is_named_and_force_recomputes(self, make, tmp_path, data, content):
        run(make(tmp_path), data)
        make(tmp_path).manifest.write_text(content, "utf-8")
        with pytest.raises(InputError, match=r"run\.json is damaged.*--force"):
            run(make(tmp_path), data)
        assert run(make(tmp_path, force=True), data)[0]["score"] == 1


class TestNothingIsLost:
    """What the user had stays."""

    @pytest.mark.parametrize("force", [False, True])
    def test_a_folder_of_something_else_is_refused(self, tmp_path, data, force):
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "thesis.tex").write_text("years", "utf-8")
        with pytest.raises(InputError, match="holds something else"):
            run(folder_output(tmp_path, force=force), data)
        assert (tmp_path / "out" / "thesis.tex").read_text("utf-8") == "years"

    @pytest.mark.parametrize("is_damaged", [False, True])
    def test_force_removes_nothing_that_no_run_wrote(self, tmp_path, data, is_damaged):
        run(folder_output(tmp_path), data)
        (tmp_path / "out" / "thesis.tex").write_text("years", "utf-8")
        if is_damaged:
            (tmp_path / "out" / "run.json").write_text("", "utf-8")
        with pytest.raises(InputError, match=r"also holds thesis\.tex"):
            run(folder_output(tmp_path, force=True), data)
        assert (tmp_path / "out" / "thesis.tex").read_text("utf-8") == "years"

    def test_a_file_of_something_else_is_replaced_only_by_force(self, tmp_path, data):
        (tmp_path / "out.csv").write_text("years", "utf-8")
        with pytest.raises(InputError, match="use --force"):
            run(file_output(tmp_path), data)
        assert (tmp_path / "out.csv").read_text("utf-8") == "years"
        run(file_output(tmp_path, force=True), data)
        assert (tmp_path / "out.csv").read_text("utf-8") == "numbers"

    @pytest.mark.parametrize("force", [False, True])
    @pytest.mark.parametrize(
        "out", [folder_output, file_output], ids=["folder that holds it", "file"]
    )
    def test_an_input_is_not_replaced_though_a_run_wrote_it(self, tmp_path, data, out, force):
        output = out(tmp_path)
        run(output, data)
        made = output.out if output.is_file else output.out / "scores.csv"
        with pytest.raises(InputError, match="must not hold an input of the run"):
            run(out(tmp_path, force=force, window="full"), made)
        assert made.read_text("utf-8") == "numbers"

    def test_a_folder_that_is_the_input_is_not_replaced(self, tmp_path, data):
        run(folder_output(tmp_path), data)
        (tmp_path / "link").symlink_to(tmp_path / "out")
        output = folder_output(tmp_path, force=True)
        with pytest.raises(InputError, match="must not hold an input"):
            output.finished({tmp_path / "link": str})

    @pytest.mark.parametrize(
        ("make", "force"), [(folder_output, False), (folder_output, True), (file_output, False)]
    )
    def test_a_result_of_another_command_is_refused(self, make, tmp_path, data, force):
        run(make(tmp_path), data)
        mine = make(tmp_path)
        other = Output("train-vae", Options(force=force), mine.out, is_file=mine.is_file)
        with pytest.raises(InputError, match=f"was made by latent-nmr {mine.name}"):
            run(other, data)
        assert run(make(tmp_path), data)[0]["score"] == 1

    @BOTH
    def test_a_failed_run_leaves_the_earlier_result(self, make, tmp_path, data):
        run(make(tmp_path), data)
        output = make(tmp_path, force=True)
        assert output.finished({data: digest}) is None
        with pytest.raises(ZeroDivisionError):
            fail_half_way(output)
        path = output.out if output.is_file else output.out / "scores.csv"
        assert path.read_text("utf-8") == "numbers"

    def test_a_killed_run_goes_on_with_what_is_kept_and_nothing_else(self, tmp_path):
        with pytest.raises(ZeroDivisionError):
            fail_half_way(folder_output(tmp_path))
        assert not (tmp_path / "out").exists()
        with folder_output(tmp_path).folder(kept=("steps",)) as work:
            assert (work / "steps" / "a.json").read_text("utf-8") == "done"
            assert not (work / "scores.csv").exists()
        assert [path.name for path in (tmp_path / "out").iterdir()] == ["steps"]

    def test_a_forced_run_makes_use_of_kept_steps(self, tmp_path, data):
        with folder_output(tmp_path).folder() as work:
            (work / "steps").mkdir()
            (work / "steps" / "a.json").write_text("1", "utf-8")
            folder_output(tmp_path).write_manifest({}, {data: digest(data)}, work)
        output = folder_output(tmp_path, force=True)
        assert output.finished({data: digest}) is None
        with output.folder(kept=("steps",)) as work:
            assert (work / "steps" / "a.json").read_text("utf-8") == "1"
            assert not (work / "run.json").exists()

    def test_two_writers_of_one_folder_are_refused(self, tmp_path):
        with (
            folder_output(tmp_path).folder(),
            pytest.raises(InputError, match="one writer"),
            folder_output(tmp_path).folder(),
        ):
            pass


class TestSeveralFiles:
    """Files that differ in their suffixes only, such as a figure in two formats."""

    def figure_output(self, tmp_path, name="map", **options):
        return Output("plot", Options(**options), tmp_path / name, suffixes=(".png", ".pdf"))

    def draw(self, output, data):
        class Drawn:
            def save(self, folder, suffixes):
                for suffix in suffixes:
                    (folder / f"any{suffix}").write_text(suffix[1:], "utf-8")

        return output.keep_figure(Drawn, {data: digest})

    def test_both_take_the_name_given_with_or_without_a_suffix(self, tmp_path, data):
        report = self.draw(self.figure_output(tmp_path, "map.pdf"), data)
        assert report.values["files"] == ["map.png", "map.pdf"]
        assert [Path(name).read_text("utf-8") for name in report.values["out"]] == ["png", "pdf"]
        assert "already finished" in self.draw(self.figure_output(tmp_path), data).lines[0]

    def test_one_that_is_gone_is_made_again(self, tmp_path, data):
        self.draw(self.figure_output(tmp_path), data)
        (tmp_path / "map.pdf").unlink()
        self.draw(self.figure_output(tmp_path), data)
        assert (tmp_path / "map.pdf").read_text("utf-8") == "pdf"

    def test_a_file_that_no_run_wrote_stays(self, tmp_path, data):
        (tmp_path / "map.pdf").write_text("mine", "utf-8")
        with pytest.raises(InputError, match=r"map\.pdf exists"):
            self.draw(self.figure_output(tmp_path), data)
        assert not (tmp_path / "map.png").exists()


class TestCommand:
    """The command that makes a result again."""

    def test_it_quotes_for_a_shell(self):
        words = shlex.split(command_of("evaluate", Options()))
        assert words[:3] == ["latent-nmr", "evaluate", "my data.zarr"]

    def test_it_says_every_setting_that_is_set(self):
        command = command_of("evaluate", Options(n_curves=7, ceiling=False, verdict=True))
        assert "--methods pca vae" in command
        assert "--n-curves 7" in command
        assert "--no-ceiling" in command
        assert "--verdict" in command
        assert "--n-curves" not in command_of("evaluate", Options())
        assert "ceiling" not in command_of("evaluate", Options())

    def test_it_says_nothing_of_where_results_appear(self):
        command = command_of("evaluate", Options(out=Path("x"), force=True, json=True))
        assert command == command_of("evaluate", Options())

    def test_settings_are_plain_values(self):
        settings = settings_of(Options(models=(Path("a"),)))
        assert settings == json.loads(json.dumps(settings))
        assert settings["models"] == ["a"]
        assert not {"out", "force", "json"} & settings.keys()
