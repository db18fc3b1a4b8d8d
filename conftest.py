"""How a run goes: shared out over the processors, its samples drawn by a seed that it says, some cells run twice."""

import os
import random
from pathlib import Path

import pytest
from nbval.plugin import IPyNbCell
from xdist.scheduler import LoadScopeScheduling

MOST_WORKERS = 4  # each collects all tests, which takes some seconds
# Files whose tests go to any worker, one by one: they take long, and share no fixture that does.
SPREAD = {f"tests/test_{name}.py" for name in ("equations", "explorers", "guide")}
# What takes longest begins first, so that no worker is left alone with it in the end.
FIRST = ("browser", "notebook", "slow")


def pytest_addoption(parser):
    parser.addoption("--cells-once", action="store_true", help="run no cell of a notebook twice in a row")


def pytest_configure(config):
    # Of which the workers, and what the tests start, inherit the same.
    os.environ.setdefault("CONVBP_SEED", str(random.randrange(2**32)))


def pytest_report_header(config):
    return f"samples: CONVBP_SEED={os.environ['CONVBP_SEED']} draws the same again, CONVBP_THOROUGH=1 tries all"


def pytest_terminal_summary(terminalreporter, exitstatus):
    if exitstatus:
        terminalreporter.write_line(f"CONVBP_SEED={os.environ['CONVBP_SEED']} draws the same samples again.")


def pytest_xdist_auto_num_workers(config):
    """As many as there are processors; none for a part, where they would cost more than they give."""
    if _is_part(config):
        return 0
    return min(MOST_WORKERS, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def _is_part(config):
    named = any(Path(argument.partition("::")[0]).is_file() for argument in config.args)
    return named or config.option.keyword or config.getoption("lf", False) or config.option.capture == "no"


def pytest_xdist_make_scheduler(config, log):
    return Scheduling(config, log)


class Scheduling(LoadScopeScheduling):
    """The tests of a file share their fixtures, the cells of a notebook a kernel, all browsers a turn."""

    def _split_scope(self, nodeid):
        file = nodeid.partition("::")[0]
        if file.endswith(("_in_browser.py", "_in_firefox.py")):
            return "browser"  # one at a time, and the other processors left to it and its kernels
        return nodeid if file in SPREAD else file


def pytest_collection_modifyitems(config, items):
    for item in items:
        if isinstance(item, IPyNbCell):
            item.add_marker("notebook")
            item.add_marker("slow")
        elif "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: [not item.get_closest_marker(marker) for marker in FIRST])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Run a cell twice in a row, as readers do, in a third of the notebooks: it shows what is saved both times."""
    yield
    if isinstance(item, IPyNbCell) and not item.config.option.cells_once and _twice(item.path, item.config):
        item.runtest()


def _twice(notebook, config):
    """In each run another third; all with CONVBP_THOROUGH=1, and where notebooks are named."""
    if os.environ.get("CONVBP_THOROUGH") or _is_part(config):
        return True
    return random.Random(f"{os.environ['CONVBP_SEED']} {notebook.stem}").random() < 1 / 3
