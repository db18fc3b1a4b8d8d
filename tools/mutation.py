"""Test the tests: ``python tools/mutation.py [name ...]`` changes the code, one place at a time, and runs them.

mutmut makes the mutants and runs the tests that reach each of them; ``[tool.mutmut]`` in ``pyproject.toml`` says of
what and with which. What gets past these meets all of them: a test that uses what an earlier one has computed and kept,
or what was computed at the import, is not among those that mutmut has seen to reach the place. Names are patterns of
mutants, ``"convbp.pooling.*"``; without one all are tried, which takes hours: ``--sample 150`` tries so many of them,
others for each ``--seed``. It goes on where it was stopped. What survives is a hole in the tests, or changes nothing
that anybody can see.
The mutants of this second kind are in ``tests/equivalent_mutants.yml``, each with its reason; all others are printed.
"""

import argparse
import os
import random
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatch
from pathlib import Path

import yaml

KILLED = ("killed", "timeout", "caught by type check")
ROOT = Path(__file__).parent.parent
EQUIVALENT = ROOT / "tests" / "equivalent_mutants.yml"


def main(patterns: list[str], sample: int | None, seed: int) -> int:
    tried = patterns if sample is None else drawn(patterns, sample, seed)
    if mutmut("run", *tried).returncode:
        return 1
    verdicts = {name: verdict for name, verdict in results().items() if one_of(tried, name)}
    known = yaml.safe_load(EQUIVALENT.read_text(encoding="utf-8"))
    survivors = [(name, edit_of(name)) for name, verdict in verdicts.items() if verdict not in KILLED]
    unexplained = [(name, edit) for name, edit in survivors if not any(explains(group, *edit) for group in known)]
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        past = threads.map(gets_past_all, [name for name, _ in unexplained])
        holes = [hole for hole, gets_past in zip(unexplained, past, strict=True) if gets_past]
    for name, (path, before, after) in holes:
        print(f"{name}, {path}:\n  - {before}\n  + {after}")
    equivalent = len(survivors) - len(unexplained)
    killed = len(verdicts) - equivalent - len(holes)
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


def one_of(patterns: list[str], name: str) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns or ["*"])


def mutmut(*arguments: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", "mutmut", *arguments], cwd=ROOT, check=False, **options)


def said(*arguments: str) -> list[str]:
    return mutmut(*arguments, stdout=subprocess.PIPE, text=True, encoding="utf-8").stdout.splitlines()


def gets_past_all(name: str) -> bool:
    """Whether none of the tests that are selected says that this mutant is wrong."""
    with open(ROOT / "pyproject.toml", "rb") as file:
        settings = tomllib.load(file)["tool"]["mutmut"]
    arguments = [*settings["pytest_add_cli_args"], *settings["pytest_add_cli_args_test_selection"]]
    return not subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-q", "--rootdir=.", *arguments],
        cwd=ROOT / "mutants",
        env=os.environ | {"MUTANT_UNDER_TEST": name, "PYTHONPATH": "src"},
        stdout=subprocess.DEVNULL,
        check=False,
    ).returncode


def edit_of(name: str) -> tuple[str, str, str]:
    """The file of a mutant, what stood there, and what stands there now."""
    lines = said("show", name)
    (path,) = [line.removeprefix("--- src/convbp/") for line in lines if line.startswith("--- ")]
    before, after = (
        " ".join(line[1:].strip() for line in lines if line.startswith(sign) and not line.startswith(3 * sign))
        for sign in "-+"
    )
    return path, before, after


def explains(group: dict, path: str, before: str, after: str) -> bool:
    """Whether this entry says why nobody could see this change."""
    if "everywhere" not in group:
        return path == group["file"] and before == group["line"] and after in group["mutants"]
    pieces = before.split(group["everywhere"])
    cuts = [(group["everywhere"].join(part) for part in (pieces[:n], pieces[n:])) for n in range(1, len(pieces))]
    return any(after == mutant.join(cut) for cut in map(tuple, cuts) for mutant in group["mutants"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("patterns", nargs="*", metavar="name")
    parser.add_argument("--sample", type=int, help="try so many of the mutants only")
    parser.add_argument("--seed", type=int, default=0, help="which of them")
    sys.exit(main(**vars(parser.parse_args())))
