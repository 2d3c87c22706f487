"""The rooms of the package and who may import whom; importing it stays cheap."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import latent_nmr

PACKAGE = Path(__file__).parents[1] / "latent_nmr"
SHARED = {
    "errors",
    "_band",
    "_columns",
    "_echo_top",
    "_environment",
    "_files",
    "_interrupts",
    "_jax_settings",
    "_json",
    "_letters",
    "_items",
    "_locks",
    "_machine",
    "_progress",
    "_regular",
    "_streams",
    "_times",
    "_units",
    "_masks",
    "_png",
    "_rounding",
    "_row_names",
    "_splits",
    "latent_axes",
    "shipped",
}  # small modules at the top that anyone may import
# Room -> rooms, modules or names that it may import.
MAY_IMPORT = {
    "physics": set(),
    "models": set(),
    "data": {"physics"},
    # Jobs that fill a store: nothing of what is done with the curves afterwards.
    "cluster": {"physics", "data"},
    "analysis": set(),
    "plots": set(),
    "studies": {"physics", "data", "models", "analysis", "plots"},
    # Made of what studies return; of numbers, only what scores are called.
    "report": {"studies", "analysis.score_names"},
    # Commands open, call a study, write and report: neither analysis nor plots, of physics what a
    # store is made by, and of models what trains one, reads its card and exports its decoder.
    "commands": {
        "physics.simulate.Simulation",
        "data",
        "cluster",
        "models.beta_vae",
        "models.card_summary",
        "models.decoder_json",
        "studies",
        "report",
    },
}
# What scripts stand on: public names, by module; and in these rooms, what a module without an
# underscore defines, because the studies of the documents, and the tables of them, are no names of
# `ln`: they belong to this repository.
PUBLIC_NAMES = {
    "latent_nmr": {*latent_nmr.__all__, "shipped"},  # publishing brings models into the package
    "latent_nmr.plots": set(latent_nmr.plots.__all__),
    "latent_nmr.commands.main": {"run_script", "script"},
}
OPEN_ROOMS = ("studies", "report")
MODULE_LINES, BODY_LINES, COMMANDS_LINES, SCRIPTS_LINES = 320, 45, 2800, 1000
TOO_LONG: set[str] = set()  # what is still beyond these limits; never to be added to
HEAVY = ("jax", "flax", "sklearn", "xarray", "umap", "matplotlib", "zarr", "scipy", "pandas")


def modules_imported_by(path):
    """Yield the dotted names that the module at `path` imports, by name or by `import_module`."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and node.args:
            called = node.func.attr if isinstance(node.func, ast.Attribute) else node.func
            name, argument = getattr(called, "id", called), node.args[0]
            if name in ("import_module", "__import__") and isinstance(argument, ast.Constant):
                yield argument.value
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def forbidden_imports(path, room):
    """What a module of a room, or one at the top, must not import, but does; "" for the package."""
    allowed = {*MAY_IMPORT.get(room, ()), room, *SHARED}
    found = set()
    for name in modules_imported_by(path):
        top, _, inner = name.partition(".")
        if top == "latent_nmr" and not any(f"{inner}.".startswith(f"{own}.") for own in allowed):
            found.add(inner)
    return found


def heavy_modules_after(code):
    """Names of HEAVY that are loaded in a fresh interpreter after `code`."""
    probe = f"{code}\nimport sys\nprint(*[name for name in {HEAVY!r} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    return run.stdout.splitlines()[-1].split()


class TestLayers:
    """Rooms import only the rooms below them."""

    @pytest.mark.parametrize("room", MAY_IMPORT)
    def test_a_room_imports_only_the_rooms_below_it(self, room):
        modules = list((PACKAGE / room).rglob("*.py"))
        assert modules, f"there is no room {room}"
        for path in modules:
            forbidden = forbidden_imports(path, room)
            assert not forbidden, f"{path} imports {sorted(forbidden)}"

    @pytest.mark.parametrize(
        ("room", "source", "forbidden"),
        [
            ("commands", "from latent_nmr.plots.style import f", "plots.style.f"),
            ("commands", "import latent_nmr.analysis.scores", "analysis.scores"),
            ("commands", "from latent_nmr import plots", "plots"),
            ("commands", "def f():\n    from latent_nmr.plots import style", "plots.style"),
            (
                "commands",
                "import importlib\nimportlib.import_module('latent_nmr.plots.style')",
                "plots.style",
            ),
            ("commands", "import latent_nmr as ln\nln.plots.style", ""),
            ("commands", "from latent_nmr.physics.simulate import draw", "physics.simulate.draw"),
            ("commands", "from latent_nmr.physics import simulate", "physics.simulate"),
            ("commands", "from latent_nmr.models.training import train", "models.training.train"),
            ("report", "from latent_nmr.analysis.naming import A", "analysis.naming.A"),
            (
                "report",
                "from latent_nmr.analysis.score_names_of import A",
                "analysis.score_names_of.A",
            ),
            ("report", "from latent_nmr import analysis", "analysis"),
            ("report", "from latent_nmr.data.io import open_echoes", "data.io.open_echoes"),
            ("analysis", "from latent_nmr.models import losses", "models.losses"),
            ("plots", "from latent_nmr.analysis.score_names import S", "analysis.score_names.S"),
        ],
    )
    def test_a_planted_import_is_found(self, tmp_path, room, source, forbidden):
        (tmp_path / "planted.py").write_text(source)
        assert forbidden_imports(tmp_path / "planted.py", room) == {forbidden}

    @pytest.mark.parametrize(
        ("room", "source"),
        [
            ("commands", "from latent_nmr.physics.simulate import Simulation"),
            ("commands", "from latent_nmr.models.beta_vae import BetaVAE"),
            ("report", "from latent_nmr.analysis.score_names import SCORES"),
            ("report", "from latent_nmr.analysis import score_names"),
            ("data", "from latent_nmr import _files"),
        ],
    )
    def test_what_a_room_may_import_is_not_refused(self, tmp_path, room, source):
        (tmp_path / "planted.py").write_text(source)
        assert forbidden_imports(tmp_path / "planted.py", room) == set()

    def test_small_modules_at_the_top_import_no_room(self):
        paths = [path for path in PACKAGE.glob("*.py") if path.stem != "__init__"]
        assert {path.stem for path in paths} == SHARED
        for path in paths:
            assert forbidden_imports(path, path.stem) == set(), path

    def test_every_folder_of_the_package_is_a_known_room(self):
        rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
        assert rooms == set(MAY_IMPORT)

    def test_only_plots_imports_matplotlib(self):
        for path in PACKAGE.rglob("*.py"):
            if path.parent.name != "plots":
                tops = {name.split(".")[0] for name in modules_imported_by(path)}
                assert "matplotlib" not in tops, path


def parts_in(source):
    """Names that the top level of a module defines."""
    found = set()
    for node in ast.parse(source).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
    return found


def is_public(module, name):
    """Whether scripts may import `name` from `module` of the package."""
    if module in PUBLIC_NAMES:
        return name in PUBLIC_NAMES[module]
    room, *rest = parts = module.split(".")[1:]
    if room not in OPEN_ROOMS or any(part.startswith("_") for part in (*parts, name)):
        return False
    place = PACKAGE.joinpath(*parts)
    if place.is_dir():
        is_module = (place / f"{name}.py").is_file()
        return is_module or (bool(rest) and name in (place / "__init__.py").read_text("utf-8"))
    return name in parts_in(place.with_suffix(".py").read_text("utf-8"))


def private_uses(source):
    """Yield what a script takes from the package that is not public."""
    tree, modules = ast.parse(source), {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name == "latent_nmr":
                    modules[alias.asname or alias.name] = alias.name
                elif alias.name.startswith("latent_nmr."):
                    yield alias.name
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("latent_nmr"):
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                modules[alias.asname or alias.name] = name
                if not is_public(node.module, alias.name):
                    yield name
        elif isinstance(node, ast.Constant) and str(node.value).startswith("latent_nmr."):
            yield from {node.value} - set(PUBLIC_NAMES)  # for import_module
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = modules.get(node.value.id)
            is_module = module and (
                module in PUBLIC_NAMES
                or PACKAGE.parent.joinpath(*module.split(".")).with_suffix(".py").is_file()
            )
            if is_module and module != "latent_nmr.shipped" and not is_public(module, node.attr):
                yield f"{module}.{node.attr}"


class TestScripts:
    """Scripts stand on what is public: names of the package, and the studies and their reports."""

    def test_no_script_uses_anything_private(self):
        paths = list((PACKAGE.parent / "scripts").glob("*.py"))
        assert len(paths) > 20
        for path in paths:
            assert list(private_uses(path.read_text("utf-8"))) == [], path

    @pytest.mark.parametrize(
        ("source", "found"),
        [
            ("from latent_nmr._files import write_json", "latent_nmr._files.write_json"),
            ("import latent_nmr._files", "latent_nmr._files"),
            ("from latent_nmr import _files", "latent_nmr._files"),
            ("from latent_nmr import models", "latent_nmr.models"),
            ("from latent_nmr.plots.style import x", "latent_nmr.plots.style.x"),
            ("from latent_nmr.plots import new_figure", "latent_nmr.plots.new_figure"),
            ("from latent_nmr.studies import _result", "latent_nmr.studies._result"),
            (
                "from latent_nmr.studies.noise import add_noise",
                "latent_nmr.studies.noise.add_noise",
            ),
            ("from latent_nmr.studies.noise import _panels", "latent_nmr.studies.noise._panels"),
            ("def f():\n    from latent_nmr.models import cards", "latent_nmr.models.cards"),
            ("import latent_nmr as ln\nln.models.cards", "latent_nmr.models"),
            ("import_module('latent_nmr.models.cards')", "latent_nmr.models.cards"),
            (
                "from latent_nmr.studies.speed import training\ntraining.layer_sizes(4)",
                "latent_nmr.studies.speed.training.layer_sizes",
            ),
        ],
    )
    def test_a_planted_use_is_found(self, source, found):
        assert list(private_uses(source)) == [found]

    @pytest.mark.parametrize(
        "source",
        [
            "import latent_nmr as ln\nln.BetaVAE, ln.plots.save_figure",
            "from latent_nmr import BetaVAE, plots, shipped\nshipped.FOLDER",
            "from latent_nmr.studies.noise import evaluate_noise",
            "from latent_nmr.studies.evaluation import evaluate",
            "from latent_nmr.studies.speed import training\ntraining.OBJECTIVE.beta",
        ],
    )
    def test_what_is_public_may_be_used(self, source):
        assert list(private_uses(source)) == []


def import_graph(package):
    """Modules of a package and which of them each imports, also inside functions."""
    modules = {}
    for path in package.rglob("*.py"):
        parts = path.relative_to(package.parent).with_suffix("").parts
        modules[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    graph = {}
    for module, path in modules.items():
        graph[module] = set()
        for name in modules_imported_by(path):
            while name and name not in modules:
                name = name.rpartition(".")[0]
            graph[module] |= {name} - {""}
    return graph


def import_circles(package):
    """Groups of modules of which each imports, directly or not, all others of its group."""
    graph = import_graph(package)
    reached = {}
    for start in graph:
        found, ahead = set(), [start]
        while ahead:
            new = graph[ahead.pop()] - found
            found |= new
            ahead += new
        reached[start] = found
    circles = {
        tuple(sorted(b for b in reached[a] if a in reached[b])) for a in graph if a in reached[a]
    }
    return sorted(circles)


class TestCircles:
    """No module imports itself by way of others, whether at its top or inside a function."""

    def test_the_package_has_no_import_circle(self):
        assert import_circles(PACKAGE) == []

    @pytest.mark.parametrize(
        "sources",
        [
            {"a": "import house.b", "b": "from house import a"},
            {"a": "import house.b", "b": "def f():\n    from house.a import x"},
            {
                "a": "from house.b import x",
                "b": "from house.room.c import x",
                "room/c": "import house.a",
            },
            {"a": "if TYPE_CHECKING:\n    import house.a"},
        ],
        ids=["two modules", "inside a function", "three modules", "itself"],
    )
    def test_a_planted_circle_is_found(self, tmp_path, sources):
        package = tmp_path / "house"
        (package / "room").mkdir(parents=True)
        (package / "__init__.py").touch()
        (package / "other.py").write_text("import house.a, house.b, json")
        for name, source in sources.items():
            (package / f"{name}.py").write_text(source)
        names = {f"house.{name.replace('/', '.')}" for name in sources}
        assert import_circles(package) == [tuple(sorted(names))]

    def test_a_chain_is_no_circle(self, tmp_path):
        (tmp_path / "house").mkdir()
        for name, source in {
            "a": "",
            "b": "import house.a",
            "c": "import house.a, house.b",
        }.items():
            (tmp_path / "house" / f"{name}.py").write_text(source)
        assert import_circles(tmp_path / "house") == []


def body_lines(function):
    """Lines from the first statement to the last, the docstring not counted."""
    if isinstance(function, ast.Lambda):
        return function.body.end_lineno - function.body.lineno + 1
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def too_long_in(source, name):
    """Yield `name` if `source` is too long a module, then the functions that are too long."""
    if len(source.splitlines()) > MODULE_LINES:
        yield name
    for node in ast.walk(ast.parse(source)):
        is_function = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        if is_function and body_lines(node) > BODY_LINES:
            yield f"{name} {getattr(node, 'name', 'lambda')}"


class TestSizes:
    """No module over 320 lines, no function body over 45."""

    def test_no_module_or_function_is_too_long_except_those_listed(self):
        found = {
            item
            for path in PACKAGE.rglob("*.py")
            for item in too_long_in(path.read_text("utf-8"), path.relative_to(PACKAGE).as_posix())
        }
        assert sorted(found - TOO_LONG) == [], "too long"
        assert sorted(TOO_LONG - found) == [], "short enough by now: take it off TOO_LONG"

    def test_the_commands_together_stay_small(self):
        sources = [path.read_text("utf-8") for path in (PACKAGE / "commands").rglob("*.py")]
        n_lines = sum(len(source.splitlines()) for source in sources)
        assert 1000 < n_lines <= COMMANDS_LINES

    def test_the_scripts_together_stay_small(self):
        sources = [path.read_text("utf-8") for path in (PACKAGE.parent / "scripts").rglob("*.py")]
        n_lines = sum(len(source.splitlines()) for source in sources)
        assert 500 < n_lines <= SCRIPTS_LINES

    def test_signature_and_docstring_do_not_count(self):
        head = "def f(\n" + "    a,\n" * 50 + '):\n    """' + "Words.\n" * 50 + '"""\n'
        body = "    a += 1\n"
        assert list(too_long_in(head + body * 45, "m.py")) == []
        assert list(too_long_in(head + body * 46, "m.py")) == ["m.py f"]
        assert list(too_long_in("a = 1\n" * 321, "m.py")) == ["m.py"]
        assert list(too_long_in("f = lambda: (\n" + "1 +\n" * 46 + "1)\n", "m.py")) == [
            "m.py lambda"
        ]


class TestImportCost:
    """Importing the package or asking for help loads nothing heavy."""

    def test_importing_the_package_loads_no_heavy_library(self):
        assert heavy_modules_after("import latent_nmr") == []

    @pytest.mark.parametrize("arguments", [["--help"], ["train-vae", "--help"], ["embed", "-h"]])
    def test_help_loads_no_heavy_library(self, arguments):
        code = (
            "from latent_nmr.commands.main import main\n"
            f"try: main({arguments!r})\nexcept SystemExit: pass"
        )
        assert heavy_modules_after(code) == []

    def test_public_names_are_found_on_first_use(self):
        assert all(getattr(latent_nmr, name) for name in latent_nmr.__all__)
        assert "jax" in heavy_modules_after("import latent_nmr as ln\nassert ln.BetaVAE")

    def test_an_unknown_name_is_an_attribute_error(self):
        with pytest.raises(AttributeError, match="no attribute 'BetaVEA'"):
            latent_nmr.BetaVEA  # noqa: B018
