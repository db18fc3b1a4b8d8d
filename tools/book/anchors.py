"""How Jupyter names a heading, which the notebooks' links go by."""


def jupyter_anchor(heading):
    return heading.strip().replace(" ", "-")
