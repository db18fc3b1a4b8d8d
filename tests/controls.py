"""The controls of an explorer, as a reader finds them: by what they are and what they are called."""


def inside(widget):
    """A widget and all that it is made of."""
    yield widget
    for child in getattr(widget, "children", ()):
        yield from inside(child)


def control(explorer, kind=object, **traits):
    """The one widget of that kind, and with those traits, that the reader has before them."""
    (found,) = (
        widget
        for widget in inside(explorer)
        if isinstance(widget, kind) and all(getattr(widget, name, None) == value for name, value in traits.items())
    )
    return found
