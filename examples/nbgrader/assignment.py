"""Make an assignment for nbgrader of any exercises of the course.

    python assignment.py source/backpropagation/pooling.ipynb max_routing average_routing --seed "a secret of yours"

Each exercise has its statement, a cell for the answer with the course's solution, which nbgrader takes out, and a
locked check with two points for each input: on the course's numbers and, hidden from students, on those of your seed.
"""

import argparse
import ast
import sys
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

import convbp
from convbp import exercises
from convbp.exercises.exercise import Exercise


def main(arguments: list[str]) -> int:
    known = {one.name: one for one in exercises.ALL}
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("notebook", type=Path, help="to write; its folder is the assignment's")
    parser.add_argument("exercises", nargs="+", choices=sorted(known), metavar="exercise")
    parser.add_argument("--seed", required=True, help="of the numbers that students do not have")
    chosen = parser.parse_args(arguments)
    if chosen.notebook.exists():
        sys.exit(f"There is {chosen.notebook} already; name another.")
    chosen.notebook.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(assignment([known[name] for name in chosen.exercises], chosen.seed), chosen.notebook)
    print(f"{chosen.notebook} is written; look through it, then: nbgrader generate_assignment --force")
    return 0


def assignment(asked: list[Exercise], seed: str) -> nbformat.NotebookNode:
    used = {node.id for one in asked for node in ast.walk(ast.parse(answer(one))) if isinstance(node, ast.Name)}
    imports = ", ".join(["exercises", *sorted(used & set(convbp.__all__))])  # what the solutions stand on
    cells = [new_code_cell(f"import numpy as np\n\nfrom convbp import {imports}", metadata=cell("set-up"))]
    for n, one in enumerate(asked, 1):
        points = 2 * len(one.inputs)
        heading = f"## {n}. {one.name} ({points} points)"
        check = (
            f"result = exercises.{one.name}.check({one.name}, points={points})\n### BEGIN HIDDEN TESTS\n"
            f"own = exercises.{one.name}.variant({seed!r}, n={len(one.inputs)}).check({one.name}, points={points})\n"
            "result = min(result, own, key=lambda one: one.points)\n### END HIDDEN TESTS\n"
            "display(result)\nresult.points"
        )
        cells += [
            new_markdown_cell(heading, metadata=cell(f"{one.name}-heading")),
            new_code_cell(f"exercises.{one.name}", metadata=cell(f"{one.name}-statement")),
            new_code_cell(answer(one), metadata=cell(one.name, locked=False, solution=True)),
            new_code_cell(check, metadata=cell(f"check-{one.name}", grade=True, points=points)),
        ]
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel, "language_info": {"name": "python"}})


def cell(name: str, **changes: object) -> dict:
    usual = {"grade_id": name, "locked": True, "grade": False, "solution": False, "task": False, "schema_version": 3}
    return {"nbgrader": usual | changes}


def answer(one: Exercise) -> str:
    """The course's solution, with the marks between which nbgrader takes it out."""
    code = str(one.solution())
    lines, begin = code.splitlines(), ast.parse(code).body[0].body[0].lineno - 1
    marked = [*lines[:begin], "    ### BEGIN SOLUTION", *lines[begin:], "    ### END SOLUTION"]
    return "\n".join(marked)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
