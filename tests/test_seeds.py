"""One name for each role of randomness, as CONTRIBUTING.md says."""

import inspect
import pkgutil
import re
from dataclasses import fields
from importlib import import_module

import pytest

import latent_nmr as ln
import latent_nmr.analysis
import latent_nmr.models
from latent_nmr.commands.main import COMMANDS

RANDOM = re.compile(r"seed|random_state|^rng$|^generator$|^key$")
COUNTS = {"n_seeds", "n_forest_seeds", "n_detail_seeds"}
MAKE_CURVES = {"simulate", "Simulation", "add_noise", "unknown_receiver", "challenge", "audit"}
MAKE_CURVES |= {"measure", "calibrate", "design"}
# Which repetition of a study, and the numbers of all of them.
PICK_REPETITIONS = {"EvaluationResult.embedding": "seed", "fit_many": "seeds"}


def own_functions(module):
    """Public functions and classes that a module defines, and the methods of these, by name."""
    for name, item in vars(module).items():
        if not name.startswith("_") and getattr(item, "__module__", "") == module.__name__:
            yield from with_methods(name, item)


def with_methods(name, item):
    if not callable(item) or (inspect.isclass(item) and issubclass(item, (Exception, Warning))):
        return
    yield name, item
    if inspect.isclass(item):
        for method, function in inspect.getmembers(item, inspect.isfunction):
            if not method.startswith("_"):
                yield f"{name}.{method}", function


def random_parameters(function):
    return {name for name in inspect.signature(function).parameters if RANDOM.search(name)}


def public_functions():
    for name in ln.__all__:
        item = getattr(ln, name)
        if inspect.ismodule(item):
            for inner in item.__all__:
                yield from with_methods(inner, getattr(item, inner))
        else:
            yield from with_methods(name, item)


PUBLIC = {name: random_parameters(function) for name, function in public_functions()}


class TestPublicNames:
    def test_the_functions_that_draw_are_found(self):
        drawing = {name for name, found in PUBLIC.items() if found}
        assert {"BetaVAE", "BetaVAE.sample", "clusters", "evaluate", "fit_many"} <= drawing
        assert drawing >= MAKE_CURVES | set(PICK_REPETITIONS)

    @pytest.mark.parametrize("name", [name for name, found in PUBLIC.items() if found])
    def test_each_role_has_its_name(self, name):
        found = PUBLIC[name] - COUNTS
        if name in MAKE_CURVES:
            assert found == {"seed"}
        elif name in PICK_REPETITIONS:
            assert found == {PICK_REPETITIONS[name]}
        elif name == "draw_frequencies":
            assert found == {"key"}
        elif found == {"split_seed"}:  # apart from the seeds of fits
            assert "n_seeds" in PUBLIC[name]
        else:
            assert found <= {"random_state"}

    @pytest.mark.parametrize("seed", [None, 0.5, -1])
    def test_what_makes_curves_takes_whole_numbers(self, seed):
        dataset = ln.load_reference(2)
        complex_set = dataset.assign(mx=dataset["magnitude"], my=0 * dataset["magnitude"])
        for make in (
            lambda: ln.simulate("paper", 1, seed=seed, n_edge=8),
            lambda: ln.challenge("2020", seed=seed, n_curves=50),
            lambda: ln.audit("echo", dataset, seed=seed),
            lambda: ln.measure("absent.tnt", pulse_separation=100, seed=seed),
            lambda: ln.add_noise(complex_set.drop_vars("magnitude"), 10, seed=seed),
            lambda: ln.unknown_receiver(complex_set.drop_vars("magnitude"), snr=10, seed=seed),
        ):
            with pytest.raises(ln.InputError, match="seed must be a whole number"):
                make()


@pytest.mark.parametrize("room", [latent_nmr.analysis, latent_nmr.models])
def test_rooms_that_fit_and_estimate_take_a_random_state_or_a_key(room):
    n_drawing = 0
    for entry in pkgutil.iter_modules(room.__path__):
        module = import_module(f"{room.__name__}.{entry.name}")
        for name, function in own_functions(module):
            found = random_parameters(function) - {PICK_REPETITIONS.get(name)}
            n_drawing += bool(found)
            assert found <= {"random_state", "key"}, f"{module.__name__}.{name}"
    assert n_drawing > 5


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_has_one_seed_and_names_others_by_what_they_are_of(command):
    module = import_module(f"latent_nmr.commands.{command.replace('-', '_')}")
    found = {field.name for field in fields(module.Options) if RANDOM.search(field.name)}
    of_data = {"data_seed", "split_seed", "receiver_seed"}
    assert found <= {"seed"} | of_data | COUNTS
    if found & of_data:
        assert found & {"seed", "n_seeds"}
