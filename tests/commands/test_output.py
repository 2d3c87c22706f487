"""Where commands write: one policy for outputs and reruns, and nothing lost."""

import json
import shlex
from dataclasses import dataclass
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from latent_nmr.commands._output import Output
from latent_nmr.commands._settings import command_of, settings_of
from latent_nmr.errors import InputError
from latent_nmr.studies._result import Figures, figure_path


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


def run(output, *data, text="numbers"):
    """A whole run, as commands do it; returns what it reports."""
    finished = output.finished(dict.fromkeys(data, digest))
    if finished is not None:
        return finished
    inputs = {path: digest(path) for path in data}
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
        values, remark = run(make(tmp_path), data, text="other numbers")
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
    @pytest.mark.parametrize("gone_first", [True, False])
    def test_every_input_is_looked_at_though_one_is_gone(self, make, tmp_path, data, gone_first):
        model = tmp_path / "model.txt"
        model.write_text("weights", "utf-8")
        inputs = (model, data) if gone_first else (data, model)
        run(make(tmp_path), *inputs)
        model.unlink()
        assert f"{model} is gone" in run(make(tmp_path), *inputs)[1]
        data.write_text("second", "utf-8")
        with pytest.raises(InputError, match=r"data\.txt has changed"):
            run(make(tmp_path), *inputs)

    @BOTH
    def test_an_input_that_the_earlier_run_had_beside_is_named(self, make, tmp_path, data):
        run(make(tmp_path), data)
        assert f"{data} is gone" in run(make(tmp_path))[1]

    @BOTH
    @pytest.mark.parametrize("text", ["", "mine", "numberz"])
    def test_a_file_that_the_run_did_not_write_is_not_reported(self, make, tmp_path, data, text):
        run(make(tmp_path), data)
        output = make(tmp_path)
        path = output.out if output.is_file else output.out / "scores.csv"
        path.write_text(text, "utf-8")
        with pytest.raises(InputError, match=f"{path.name} is no longer what the run wrote"):
            run(make(tmp_path), data)
        assert path.read_text("utf-8") == text
        run(make(tmp_path, force=True), data)
        assert path.read_text("utf-8") == "numbers"

    @BOTH
    def test_a_file_that_is_gone_is_made_again(self, make, tmp_path, data, capsys):
        run(make(tmp_path), data)
        output = make(tmp_path)
        path = output.out if output.is_file else output.out / "scores.csv"
        path.unlink()
        _, remark = run(make(tmp_path), data)
        assert not remark
        assert path.read_text("utf-8") == "numbers"
        assert ("out lacks scores.csv" in capsys.readouterr().err) != output.is_file

    @BOTH
    def test_a_manifest_of_before_there_were_digests_is_taken(self, make, tmp_path, data):
        run(make(tmp_path), data)
        path = make(tmp_path).manifest
        content = json.loads(path.read_text("utf-8"))
        path.write_text(json.dumps({k: v for k, v in content.items() if k != "digests"}), "utf-8")
        assert "already finished" in run(make(tmp_path), data)[1]

    @BOTH
    @pytest.mark.parametrize("lacked", ["window", "ceiling", "n_curves", "models"])
    def test_a_run_from_before_an_option_was_there_had_its_default(
        self, make, tmp_path, data, lacked
    ):
        run(make(tmp_path), data)
        place = make(tmp_path).manifest
        manifest = json.loads(place.read_text("utf-8"))
        del manifest["settings"][lacked]
        place.write_text(json.dumps(manifest), "utf-8")
        assert "already finished" in run(make(tmp_path), data)[1]
        other = {"window": "full", "ceiling": False, "n_curves": 3, "models": (Path("m"),)}[lacked]
        with pytest.raises(InputError, match=f"has {lacked} = .* is asked for"):
            run(make(tmp_path, **{lacked: other}), data)

    @BOTH
    def test_force_recomputes(self, make, tmp_path, data):
        run(make(tmp_path), data)
        output = make(tmp_path, force=True, window="full")
        run(output, data, text="new numbers")
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

    def test_making_a_file_again_removes_nothing_that_no_run_wrote(self, tmp_path, data):
        run(folder_output(tmp_path), data)
        (tmp_path / "out" / "scores.csv").unlink()
        (tmp_path / "out" / "thesis.tex").write_text("years", "utf-8")
        with pytest.raises(InputError, match=r"also holds thesis\.tex"):
            run(folder_output(tmp_path), data)
        assert (tmp_path / "out" / "thesis.tex").read_text("utf-8") == "years"

    def test_a_file_of_something_else_is_replaced_only_by_force(self, tmp_path, data):
        (tmp_path / "out.csv").write_text("years", "utf-8")
        with pytest.raises(InputError, match="use --force"):
            run(file_output(tmp_path), data)
        assert (tmp_path / "out.csv").read_text("utf-8") == "years"
        run(file_output(tmp_path, force=True), data)
        assert (tmp_path / "out.csv").read_text("utf-8") == "numbers"

    @pytest.mark.parametrize("force", [False, True])
    @pytest.mark.parametrize("entries", [(), ("thesis.tex",)], ids=["empty", "full"])
    def test_a_folder_is_no_place_for_a_file(self, tmp_path, data, entries, force):
        (tmp_path / "out.csv").mkdir()
        for name in entries:
            (tmp_path / "out.csv" / name).write_text("years", "utf-8")
        with pytest.raises(InputError, match=r"out\.csv is a folder\. Name one in it"):
            run(file_output(tmp_path, force=force), data)
        assert [path.name for path in (tmp_path / "out.csv").iterdir()] == list(entries)

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


def draw(path, data, title="W"):
    """A figure that shows `title`, as the commands make one."""
    output = Output("plot", Options(window=title), figure_path(path), is_file=True)

    def drawers():
        figure = Figure(figsize=(1, 1))
        figure.text(0.1, 0.5, title)
        return Figures({"map": lambda: figure})

    return output.keep_figure(drawers, {data: digest})


class TestFigures:
    """One file each, in the format that its name says; each with a manifest of its own."""

    @pytest.mark.parametrize(
        ("name", "begins"), [("map", b"\x89PNG"), ("map.pdf", b"%PDF"), ("map.v2.svg", b"<?xml")]
    )
    def test_the_name_says_the_format_else_it_is_a_png(self, tmp_path, data, name, begins):
        path = figure_path(tmp_path / name)
        report = draw(tmp_path / name, data)
        assert report.values["out"] == path
        assert report.values["files"] == [path.name]
        assert report.lines == [f"wrote {path}"]
        assert path.read_bytes().startswith(begins)
        assert draw(tmp_path / name, data).lines[0].startswith(f"{path} is already finished")

    def test_each_format_is_a_result_of_its_own(self, tmp_path, data):
        for name, title in (("map.png", "W"), ("map.pdf", "L"), ("map.svg", "kernel")):
            assert draw(tmp_path / name, data, title).lines == [f"wrote {tmp_path / name}"]
        with pytest.raises(InputError, match=r"map\.png has window = 'W' and 'L' is asked for"):
            draw(tmp_path / "map.png", data, "L")
        for name, title in (("map.png", "W"), ("map", "W"), ("map.pdf", "L")):
            assert "already finished" in draw(tmp_path / name, data, title).lines[0]

    @pytest.mark.parametrize("has_digests", [True, False])
    def test_files_of_an_earlier_version_shared_a_manifest(self, tmp_path, data, has_digests):
        shared, files = {}, ["map.png", "map.pdf"]
        for name in files:
            draw(tmp_path / name, data)
            own = tmp_path / f"{name}.run.json"
            found = json.loads(own.read_text("utf-8"))
            shared = found | {"digests": shared.get("digests", {}) | found["digests"]}
            own.unlink()
        shared["files"] = files
        if not has_digests:
            del shared["digests"]
        (tmp_path / "map.run.json").write_text(json.dumps(shared), "utf-8")
        for name in files:
            assert "already finished" in draw(tmp_path / name, data).lines[0]
            with pytest.raises(InputError, match=rf"{name} has window = 'W' and 'L' is asked for"):
                draw(tmp_path / name, data, "L")
        (tmp_path / "map.svg").write_text("mine", "utf-8")
        with pytest.raises(InputError, match=r"map\.svg exists"):
            draw(tmp_path / "map.svg", data)
        if has_digests:
            (tmp_path / "map.pdf").write_text("mine", "utf-8")
            with pytest.raises(InputError, match="no longer what the run wrote"):
                draw(tmp_path / "map.pdf", data)
        (tmp_path / "map.run.json").write_text("{", "utf-8")
        with pytest.raises(InputError, match=r"map\.png exists"):
            draw(tmp_path / "map.png", data)

    @pytest.mark.parametrize("beside", ["map.png", "map.pdf"])
    def test_a_file_that_no_run_wrote_stays(self, tmp_path, data, beside):
        draw(tmp_path / beside, data)
        (tmp_path / "map.svg").write_text("mine", "utf-8")
        with pytest.raises(InputError, match=r"map\.svg exists"):
            draw(tmp_path / "map.svg", data)
        assert (tmp_path / "map.svg").read_text("utf-8") == "mine"

    def test_one_that_is_gone_is_made_again(self, tmp_path, data):
        draw(tmp_path / "map.pdf", data)
        (tmp_path / "map.pdf").unlink()
        assert draw(tmp_path / "map.pdf", data).lines == [f"wrote {tmp_path / 'map.pdf'}"]
        assert (tmp_path / "map.pdf").is_file()


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
