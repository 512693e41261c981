"""What a flow has to run: DVC's graph, what is stale in it, and which stages can start at once."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from lrfr.errors import unknown_name


@dataclass(frozen=True)
class Stage:
    """A stage of dvc.yaml: the stages that it needs, the cores that it takes, whether it is stale by itself, and
    whether it computes on a GPU where there is one."""

    name: str
    needs: frozenset[str]
    cores: int
    changed: bool
    gpu: bool = False


Plan = dict[str, Stage]


def read_plan() -> Plan:
    """DVC's stages by name, each after those that it needs.

    Raises:
        DvcException: dvc.yaml cannot be read, or another DVC command is at work.
    """
    import networkx
    from dvc.repo import Repo

    with Repo() as repo:
        graph = repo.index.graph  # its edges lead from a stage to what it needs
        stale = repo.status()
        order = list(networkx.lexicographical_topological_sort(graph.reverse(), key=lambda stage: stage.addressing))
        plan = {}
        for stage in order:
            meta = stage.meta or {}
            cores = meta.get("cores", 1)
            plan[stage.addressing] = Stage(
                stage.addressing,
                frozenset(needed.addressing for needed in graph.successors(stage)),
                sys.maxsize if cores == "all" else cores,
                stage.addressing in stale,
                bool(meta.get("gpu", False)),
            )
    return plan


def leading_to(plan: Plan, targets: Sequence[str]) -> Plan:
    """The stages that some stages need, these included.

    Raises:
        ParameterError: there is no such stage.
    """
    wanted = set(targets)
    for name in targets:
        if name not in plan:
            raise unknown_name("stage", name, plan, "dvc.yaml")
    for stage in reversed(plan.values()):  # each stands after those that it needs
        wanted |= stage.needs if stage.name in wanted else set()
    return {name: stage for name, stage in plan.items() if name in wanted}


def outdated(plan: Plan) -> set[str]:
    """The stages that are stale by themselves, and all that come after them."""
    names: set[str] = set()
    for stage in plan.values():
        if stage.changed or stage.needs & names:
            names.add(stage.name)
    return names


def startable(plan: Plan, unfinished: set[str], running: set[str], cores: int) -> list[str]:
    """The stages that can start now beside the running ones; one that wants more cores than there are runs alone, and
    no two share a GPU."""
    free = cores - sum(min(plan[name].cores, cores) for name in running)
    is_gpu_free = not any(plan[name].gpu for name in running)
    chosen = []
    for stage in plan.values():
        wanted = min(stage.cores, cores)
        is_ready = stage.name in unfinished - running and not stage.needs & unfinished
        if is_ready and wanted <= free and (is_gpu_free or not stage.gpu):
            chosen.append(stage.name)
            free -= wanted
            is_gpu_free &= not stage.gpu
    return chosen
