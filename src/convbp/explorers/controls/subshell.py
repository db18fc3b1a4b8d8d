"""Callbacks that run while a cell runs."""

from typing import Any

import ipywidgets as widgets


def answer_beside_cells(widget: widgets.Widget) -> None:
    """Let the callbacks of a widget, and of all inside it, run while a cell runs, where the kernel can do that.

    JupyterLab asks for it: it sends what a reader does to a subshell, a thread of the kernel. But from version 7.4 on
    ipykernel sends it on to where the widget last spoke from, for those who wait for its answer; and for a widget that
    a cell has made this is the thread that runs the cells. Without this method it leaves the matter to JupyterLab.

    The method is private, but neither ipykernel 7.4 nor comm 0.2.3 has a public way to say so: the kernel asks the comm
    for nothing else (https://github.com/ipython/ipykernel/blob/v7.4.0/ipykernel/kernelbase.py, at "comm_msg").
    This goes when ipykernel reroutes only messages that answer a request, or lets a comm choose.
    """
    comm: Any = widget.comm
    if comm is not None:
        comm._reply_subshell_for = None
    for child in getattr(widget, "children", ()):
        answer_beside_cells(child)
