"""Test the tests: ``python tools/mutation.py [name ...]`` changes the code, one place at a time, and runs them.

mutmut makes the mutants and runs the tests that reach each of them; ``[tool.mutmut]`` in ``pyproject.toml`` says of
what and with which. Names are patterns of mutants, ``"convbp.pooling.*"``; without one all are tried, which takes
hours: ``--sample 150`` tries so many of them, others for each ``--seed``. It goes on where it was stopped. What
survives is a hole in the tests, or changes nothing that anybody can see.
The mutants of this second kind are in ``tests/equivalent_mutants.yml``, each with its reason; all others are printed.

What runs while a module is imported, to make its tables, is reached by no test but the one that happens to import it
first. Where that one lets a mutant live, all tests are asked that come past anything in the same file.
"""

import argparse
import json
import os
import random
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import yaml

KILLED = ("killed", "timeout", "caught by type check")
ROOT = Path(__file__).parent.parent
EQUIVALENT = ROOT / "tests" / "equivalent_mutants.yml"
STATS = ROOT / "mutants" / "mutmut-stats.json"  # which tests come past a function


def main(patterns: list[str], sample: int | None, seed: int) -> int:
    tried = patterns if sample is None else drawn(patterns, sample, seed)
    if mutmut("run", *tried).returncode:
        return 1
    verdicts = {name: verdict for name, verdict in results().items() if one_of(tried, name)}
    others = of_imports()
    survivors = [name for name, verdict in verdicts.items() if verdict not in KILLED and not dies(name, others)]
    known = {one for group in yaml.safe_load(EQUIVALENT.read_text(encoding="utf-8")) for one in edits(group)}
    holes = [(name, edit) for name in survivors if (edit := edit_of(name)) not in known]
    for name, (path, before, after) in holes:
        print(f"{name}, {path}:\n  - {before}\n  + {after}")
    killed, equivalent = len(verdicts) - len(survivors), len(survivors) - len(holes)
    print(f"{len(verdicts)} mutants: {killed} killed, {equivalent} equivalent, {len(holes)} survived.")
    return int(bool(holes))


def drawn(patterns: list[str], sample: int, seed: int) -> list[str]:
    """So many of the mutants, by lot."""
    make = "from mutmut.__main__ import *; copy_src_dir(); create_mutants(2)"  # all that its run does before the tests
    subprocess.run([sys.executable, "-c", make], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    names = sorted(name for name in results() if one_of(patterns, name))
    return random.Random(seed).sample(names, min(sample, len(names))) or sys.exit(f"No mutant is called {patterns}.")


def results() -> dict[str, str]:
    """What became of each mutant."""
    return dict(line.strip().rpartition(": ")[::2] for line in said("results", "--all", "true") if ": " in line)


def of_imports() -> dict[str, list[str]]:
    """Each function that none but the first test of its file comes past, and all tests of that file."""
    stats = json.loads(STATS.read_text(encoding="utf-8"))
    turn = {test: n for n, test in enumerate(stats["duration_by_test"])}
    of_file: dict[str, set[str]] = {}
    for function, tests in stats["tests_by_mangled_function_name"].items():
        of_file.setdefault(function.rpartition(".")[0], set()).update(tests)
    return {
        function: sorted(some, key=turn.__getitem__)
        for function, tests in stats["tests_by_mangled_function_name"].items()
        if len(some := of_file[function.rpartition(".")[0]]) > len(tests) and tests == [min(some, key=turn.__getitem__)]
    }


def dies(name: str, others: dict[str, list[str]]) -> bool:
    """Whether one of the tests of its file kills a mutant of what runs in an import."""
    tests = others.get(name.rpartition("__mutmut_")[0], [])
    options = ["-q", "-x", "-o", "addopts=", "-p", "no:cacheprovider"]
    environment = {**os.environ, "MUTANT_UNDER_TEST": name, "PYTHONPATH": "src"}
    asked = [sys.executable, "-m", "pytest", *options, *tests]
    return bool(tests) and bool(
        subprocess.run(asked, cwd=ROOT / "mutants", env=environment, check=False, stdout=subprocess.DEVNULL).returncode
    )


def one_of(patterns: list[str], name: str) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns or ["*"])


def mutmut(*arguments: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", "mutmut", *arguments], cwd=ROOT, check=False, **options)


def said(*arguments: str) -> list[str]:
    return mutmut(*arguments, stdout=subprocess.PIPE, text=True, encoding="utf-8").stdout.splitlines()


def edit_of(name: str) -> tuple[str, str, str]:
    """The file of a mutant, what stood there, and what stands there now."""
    lines = said("show", name)
    (path,) = [line.removeprefix("--- src/convbp/") for line in lines if line.startswith("--- ")]
    before, after = (
        " ".join(line[1:].strip() for line in lines if line.startswith(sign) and not line.startswith(3 * sign))
        for sign in "-+"
    )
    return path, before, after


def edits(group: dict) -> list[tuple[str, str, str]]:
    return [(group["file"], group["line"], mutant) for mutant in group["mutants"]]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("patterns", nargs="*", metavar="name")
    parser.add_argument("--sample", type=int, help="try so many of the mutants only")
    parser.add_argument("--seed", type=int, default=0, help="which of them")
    sys.exit(main(**vars(parser.parse_args())))
