"""Sliders for the numbers of a layer: of its arrays, row by row, and of their sizes."""

import numpy as np
import pytest

from controls import control
from convbp import conv2d
from convbp.explorers import AffectedRegionQ, Channels, DeltaFlow, KernelGradient
from convbp.explorers.controls.array_sliders import ArraySliders
from convbp.notation import subscripted


@pytest.fixture(params=[AffectedRegionQ, DeltaFlow, KernelGradient], ids=lambda made: made.__name__)
def explorer(request):
    return request.param()


def parts(explorer):
    """The list of what has sliders, and the sliders."""
    return control(explorer, description="sliders for"), control(explorer, ArraySliders)


def test_each_number_of_each_array_has_a_slider_that_moves_it_and_no_other(explorer):
    menu, sliders = parts(explorer)
    called = []
    for name in menu.options[:-1]:
        menu.value = name
        called += [slider.description for slider in sliders.children]
        slider, array = sliders.children[-1], {"w": "kernel", "δ": "delta"}.get(name[0], "image")
        before, at = getattr(explorer.state, array), tuple("₀₁₂₃₄₅₆₇₈".index(digit) for digit in called[-1][1:])
        assert slider.value == before[at]
        slider.value = 5 - slider.value
        expected = before.copy()
        expected[at] = 5 - before[at]
        assert getattr(explorer.state, array).tolist() == expected.tolist()
    state, image = explorer.state, "x" if isinstance(explorer, DeltaFlow) else "o"
    arrays = {"w": state.kernel, "δ": state.delta, image: state.image}
    assert called == [subscripted(letter, *at) for letter, array in arrays.items() for at in np.ndindex(array.shape)]


def test_the_sizes_have_sliders_and_what_was_there_stays(explorer):
    menu, sliders = parts(explorer)
    menu.value = menu.options[-1]
    assert [(slider.description, slider.value) for slider in sliders.children] == [
        (name, size)
        for name, size in zip(
            ("H", "W", "k₁", "k₂"), (*explorer.state.image.shape, *explorer.state.kernel.shape), strict=True
        )
    ]
    before = explorer.state
    for slider, size in zip(sliders.children, (7, 3, 3, 1), strict=True):
        slider.value = size
        assert explorer.message == ""
    state = explorer.state
    assert [state.image.shape, state.kernel.shape, state.delta.shape] == [(7, 3), (3, 1), (5, 3)]
    for name in ("image", "kernel"):
        old, new = getattr(before, name), getattr(state, name)
        rows, cols = np.minimum(old.shape, new.shape)
        np.testing.assert_array_equal(new[:rows, :cols], old[:rows, :cols])
    assert state.image[len(before.image)].tolist() == state.image[0].tolist()  # it goes on as it began


def test_a_kernel_that_does_not_fit_is_refused_and_its_slider_goes_back(explorer):
    menu, sliders = parts(explorer)
    menu.value = menu.options[-1]
    _, width, _, across = sliders.children
    width.value = 3
    across.value = 4
    assert "does not fit" in explorer.message
    assert (across.value, explorer.state.kernel.shape[1]) == (3, 3)


def test_a_row_that_is_gone_leaves_its_sliders_to_the_first_one(explorer):
    menu, sliders = parts(explorer)
    letter = menu.options[-2][0]
    menu.value = f"{letter}, row 3"
    explorer.update(image=np.ones((3, 4), int), kernel=[[1, 2]], delta=np.ones((3, 3), int))
    # All of it where the page has as many rows of sliders, from those of δ.
    first = (letter, 12) if isinstance(explorer, KernelGradient) else (f"{letter}, row 0", 4)
    assert (explorer.message, menu.value, len(sliders.children)) == ("", *first)
    explorer.update(numbers=3)
    assert "numbers is 3; expected what stands in its list." in explorer.message
    assert menu.value == first[0]


@pytest.mark.parametrize("made", [AffectedRegionQ, Channels, DeltaFlow, KernelGradient], ids=lambda made: made.__name__)
def test_whatever_has_sliders_they_take_no_more_room_than_at_first(made):
    menu, sliders = parts(made())
    for name in menu.options:
        high = sliders.layout.min_height
        menu.value = name
        assert sliders.layout.min_height == high, name


def test_of_channels_the_numbers_of_one_slice_have_sliders():
    explorer = Channels()
    menu, sliders = parts(explorer)
    menu.value = "w, c 1, d 2"
    assert [slider.value for slider in sliders.children] == explorer.state.kernel[:, :, 1, 2].ravel().tolist()
    before, kernel = conv2d(explorer.state.inputs[None], explorer.state.kernel), explorer.state.kernel.copy()
    sliders.children[3].value = 7
    kernel[1, 0, 1, 2] = 7
    assert explorer.state.kernel.tolist() == kernel.tolist()
    change = conv2d(explorer.state.inputs[None], explorer.state.kernel) != before
    assert change.any(axis=(0, 1, 2)).tolist() == [False, False, True]  # of one filter alone
    menu.value = "o, c 0, row 2"
    sliders.children[-1].value = -9
    assert explorer.state.inputs[-1, -1, 0] == -9
    control(explorer, description="example").value = "32×32×3, six 5×5×3 filters"
    assert explorer.message == ""
    assert {name[0] for name in menu.options} == {"w"}  # the maps are too large
