"""Teachers of students that learn soft labels, for every workload that classifies."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from stablib.training import Control, Final, Record, Request, SeedPlan, Task
from stablib.training.method import Method
from stablib.training.record import Lesson, TrainMean
from stablib.training.workload import Block, Taught


def lessons(
    request: Request,
    *,
    block: int,
    beside: tuple[Record, ...] = (Final(),),
    kept_as: Callable[[TrainMean], Lesson] = lambda lesson: lesson,
) -> list[Request]:
    """Ask for the teachers of a request's students.

    Parameters
    ----------
    request : Request
        Students.
    block : int
        What so many teachers of one student say is kept as one, so that an interrupted
        ensemble resumes and takes little room.
    beside : tuple of Record, default ``(Final(),)``
        What is kept of the teachers beside their lesson.
    kept_as : callable, optional
        Gives the record of the method's lesson, where probabilities of all classes are too many.

    Returns
    -------
    list of Request
        Empty for a method without a teacher.
    """
    method = request.recipe.method
    if method.lesson is None:
        return []
    recipe = request.recipe.with_method(Control())
    records = (*beside, kept_as(method.lesson))
    groups = list(dict.fromkeys(method.teachers(plan) for plan in request.plans))
    sizes = {len(group) for group in groups}
    if len(sizes) == 1 and max(sizes) <= block:
        # Those of one student are one block, and all train together.
        together = tuple(plan for group in groups for plan in group)
        return [Request(recipe, together, records, pool=max(sizes))]
    return [Request(recipe, group, records, pool=block) for group in groups]


def targets(
    method: Method, plans: Sequence[SeedPlan], task: Task, taught: Taught
) -> list[NDArray[np.float32]]:
    """What students learn: one array if all learn the same, else one a plan.

    Returns
    -------
    list of ndarray of float32, shape (n_train, n_classes)
    """
    one_hot = task.one_hot()
    groups: list[Block] = [method.teachers(plan) for plan in plans]
    if len(set(groups)) == 1:
        plans = plans[:1]
    return [method.targets(one_hot, taught(plan)) for plan in plans]
