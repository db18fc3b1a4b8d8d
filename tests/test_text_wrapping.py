"""Where a text is broken into lines."""

from itertools import pairwise

import numpy as np
import pytest

from convbp.pictures.text_wrapping import broken, text_width

SIGNS = ["=", "+", "·", "−", "/", "Σₘ", "Eq."]
WORDS = ["x(1, 2)", "max(3, −1, (2 − 5)·4)", "the", "kernel", "(Eq. 20)", "7", "δ(4 − m, 5 − n)"]
SIZE, HANG = 15, 20


def random_text(rng):
    """Words, some with a sign before them."""
    pairs = zip(rng.choice(SIGNS, 40), rng.choice(WORDS, 40), rng.random(40) < 0.4, strict=True)
    return " ".join(f"{sign} {word}" if signed else word for sign, word, signed in list(pairs)[: rng.integers(1, 40)])


def test_every_line_has_room_and_the_next_word_would_not_have_had_it():
    rng = np.random.default_rng(1)
    for _ in range(500):
        text, room = random_text(rng), rng.integers(300, 700)
        lines = broken(text, SIZE, room, HANG)
        assert " ".join(lines) == text
        rooms = [room] + [room - HANG] * (len(lines) - 1)
        assert all(text_width(line, SIZE) <= own for line, own in zip(lines, rooms, strict=True))
        for (line, following), own in zip(pairwise(lines), rooms, strict=False):
            assert text_width(f"{line} {broken(following, SIZE, 250)[0]}", SIZE) > own


def test_a_line_ends_neither_after_a_sign_nor_inside_of_brackets():
    rng = np.random.default_rng(2)
    for _ in range(500):
        for line in broken(random_text(rng), SIZE, rng.integers(300, 700), HANG):
            assert line.split()[-1] not in SIGNS
            assert line.count("(") == line.count(")")


@pytest.mark.parametrize(
    ("text", "room", "lines"),
    [
        ("", 100, []),
        ("conv1:  x  =  1", 600, ["conv1: x = 1"]),
        ("a long word", 1, ["a", "long", "word"]),
        ("123456789012345", 50, ["123456789012345"]),
        ("no (a, b)", 55, ["no", "(a, b)"]),
        # What is wider than a line has to be broken inside of its brackets, but not after a sign.
        ("p = exp(1) / (exp(2) + exp(3) + exp(4))", 180, ["p = exp(1) / (exp(2)", "+ exp(3) + exp(4))"]),
        (") what was never opened (a, b)", 210, [") what was never opened", "(a, b)"]),
    ],
)
def test_where_a_text_is_broken(text, room, lines):
    assert broken(text, SIZE, room) == lines
