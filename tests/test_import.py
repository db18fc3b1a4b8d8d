"""Importing the package loads numpy and nothing else, and its public names are there."""

import subprocess
import sys

import convbp

PRINT_NEW_MODULES = """
import sys
import numpy
before = set(sys.modules)
import convbp
new = {name.split(".")[0] for name in set(sys.modules) - before}
print(*sorted(new - sys.stdlib_module_names - {"numpy"}))  # numpy.typing is a part of it
"""


def test_import_loads_numpy_only():
    run = subprocess.run([sys.executable, "-c", PRINT_NEW_MODULES], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["convbp"]


def test_public_names():
    assert sorted(convbp.__all__) == convbp.__all__
    for name in convbp.__all__:
        assert callable(getattr(convbp, name)), name
