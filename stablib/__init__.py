"""Train the same network twice: measure, explain and reduce how much the answers differ.

The subpackages, from the inside out (imports go one way only):

``metrics``
    Numbers from arrays of predictions. numpy only.
``data``, ``models``
    Named data sets; one architecture family a file.
``training``
    Seed plans, recipes and the trainers, many seeds at once.
``mitigation``
    One method a file: L2, SWA, label smoothing, ensemble soft labels, TGTSS.
``runs``
    The store of finished runs.
``studies``, ``papers``
    Which runs each exhibit of a paper needs; what the papers report.
``show``
    Tables, figures and widgets.
``reproduce``
    The command line: plan, train, execute notebooks, build the book.
"""

__version__ = "0.1.0"
