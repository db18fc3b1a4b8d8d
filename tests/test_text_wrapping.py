"""Where a text is broken into lines."""

import re
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


def naive(text, room, hang):
    """Every line measured anew; what stands in brackets is one word where it fits into a line."""
    words = re.findall(r"\S+", text)
    for n in range(len(words) - 2, -1, -1):  # a sign stays with the word after it
        if words[n] in SIGNS:
            words[n : n + 2] = [" ".join(words[n : n + 2])]
    pieces, depth = [], 0
    for word in words:
        pieces[len(pieces) - (depth > 0) :] = [[*(pieces[-1] if depth else []), word]]
        depth += word.count("(") - word.count(")")
    wide = [text_width(" ".join(piece), SIZE) > room - hang for piece in pieces]
    units = [
        unit for piece, broken in zip(pieces, wide, strict=True) for unit in (piece if broken else [" ".join(piece)])
    ]
    lines = []
    for unit in units:
        longer = f"{lines[-1]} {unit}" if lines else unit
        own = room - hang * (len(lines) > 1)
        lines[-1:] = [longer] if not lines or text_width(longer, SIZE) <= own else [lines[-1], unit]
    return lines


def test_lines_are_those_of_a_naive_wrapper():
    rng = np.random.default_rng(3)
    for _ in range(500):
        text, room = random_text(rng), rng.integers(40, 500) + 0.003  # no text is as wide to the hundredth
        if text_width(text, SIZE) > room:
            assert broken(text, SIZE, room, HANG) == naive(text, room, HANG)


def test_a_bold_text_is_broken_as_one_of_its_width():
    rng = np.random.default_rng(12)
    for _ in range(200):
        text, room = random_text(rng), int(rng.integers(150, 700))
        assert broken(text, SIZE, room, HANG, bold=True) == broken(text, 1.12 * SIZE, room, HANG)


def test_only_what_cannot_be_broken_is_wider_than_its_room():
    rng = np.random.default_rng(4)
    for _ in range(500):
        room = rng.integers(40, 200)
        for n, line in enumerate(broken(random_text(rng), SIZE, room, HANG)):
            if text_width(line, SIZE) > room - HANG * (n > 0):
                assert sum(word not in SIGNS for word in line.split()) == 1


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
        ("a word ) one two", 90, ["a word )", "one two"]),
    ],
)
def test_where_a_text_is_broken(text, room, lines):
    assert broken(text, SIZE, room) == lines


def test_a_line_may_be_exactly_as_wide_as_its_room():
    letter, space = 32, 17  # pixels, of a text of 50
    assert broken("ab cd ef", 50, 4 * letter + space) == ["ab cd", "ef"]
    assert broken("ab cd ef", 50, 4 * letter + space + 20, hang=20) == ["ab cd", "ef"]
