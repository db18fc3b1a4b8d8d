"""Importing the package loads numpy and nothing else, and its public names are there."""

import subprocess
import sys

import pytest

import convbp

PRINT_NEW_MODULES = """
import sys
import numpy.random
before = set(sys.modules)
{}
new = {{name.split(".")[0] for name in set(sys.modules) - before}}
print(*sorted(new - sys.stdlib_module_names - {{"numpy"}}))  # numpy.typing is a part of it
"""
A_WRONG_LAYER = "lambda dy, x, w: (dy @ w.T, x.T @ dy / len(x))"


@pytest.mark.parametrize(
    "code",
    ["import convbp", f"from convbp import diagnose; assert diagnose.dense(backward={A_WRONG_LAYER})['dw'].names"],
)
def test_numpy_alone_is_loaded(code):
    run = [sys.executable, "-c", PRINT_NEW_MODULES.format(code)]
    assert subprocess.run(run, capture_output=True, text=True, check=True).stdout.split() == ["convbp"]


def test_public_names():
    assert sorted(convbp.__all__) == convbp.__all__
    for name in convbp.__all__:
        assert callable(getattr(convbp, name)), name
