"""Callbacks that run while a cell runs."""

import ipywidgets as widgets


def answer_beside_cells(widget: widgets.Widget) -> None:
    """Let the callbacks of a widget, and of all inside it, run while a cell runs, where the kernel can do that.

    JupyterLab asks for it: it sends what a reader does to a subshell, a thread of the kernel. But from version 7.4 on
    ipykernel sends it on to where the widget last spoke from, for those who wait for its answer; and for a widget that
    a cell has made this is the thread that runs the cells. Without this method it leaves the matter to JupyterLab.
    """
    if widget.comm is not None:
        widget.comm._reply_subshell_for = None
    for child in getattr(widget, "children", ()):
        answer_beside_cells(child)
