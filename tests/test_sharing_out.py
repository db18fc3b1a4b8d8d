"""How a run is shared out over the processors, and how its samples are drawn."""

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import pytest

import course
import sample

ROOT = Path(course.ROOT)


@pytest.fixture(scope="module")
def running():
    """The conftest.py of the repository, under a name of its own."""
    spec = importlib.util.spec_from_file_location("running", ROOT / "conftest.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_shares_a_kernel_a_fixture_or_a_browser_stays_together(running):
    def unit(nodeid):
        return running.Scheduling._split_scope(None, nodeid)

    cells = {unit(f"notebooks/05.ipynb::Cell {n}") for n in range(3)}
    assert len(cells) == 1
    assert cells != {unit("notebooks/06.ipynb::Cell 0")}
    assert len({unit(f"tests/{path.name}::test_it") for path in ROOT.glob("tests/test_*browser.py")}) == 1
    assert unit("tests/test_loops.py::test_a") == unit("tests/test_loops.py::Class::test_b[1]")
    spread = {f"{name}::test_{n}" for name in running.SPREAD for n in range(2)}
    assert {unit(nodeid) for nodeid in spread} == spread
    assert all((ROOT / name).exists() for name in running.SPREAD)


@pytest.mark.parametrize(
    ("arguments", "options", "alone"),
    [
        (["tests"], {}, False),
        (["tests"], {"keyword": "pooling"}, True),
        (["tests"], {"capture": "no"}, True),
        (["tests"], {"lf": True}, True),
        ([str(ROOT / "tests" / "test_loops.py") + "::test_it"], {}, True),
    ],
)
def test_a_part_stays_in_one_process(running, arguments, options, alone):
    option = SimpleNamespace(**{"keyword": "", "capture": "fd", "lf": False} | options)
    config = SimpleNamespace(args=arguments, option=option, getoption=lambda name, default: getattr(option, name))
    workers = running.pytest_xdist_auto_num_workers(config)
    assert workers == 0 if alone else 1 <= workers <= running.MOST_WORKERS


def test_a_sample_is_another_in_each_run_and_for_each_name_and_can_be_drawn_again(monkeypatch):
    def drawn(seed, name):
        monkeypatch.setenv("CONVBP_SEED", seed)
        return tuple(sample.rng(name).integers(1000, size=9))

    assert drawn("1", "a") == drawn("1", "a")
    assert len({drawn("1", "a"), drawn("2", "a"), drawn("1", "b")}) == 3


def test_all_is_tried_on_demand(monkeypatch):
    for thorough, tried in [(False, 3), (True, 50)]:
        monkeypatch.setattr(sample, "THOROUGH", thorough)
        assert sample.size(3, thorough=50) == tried
