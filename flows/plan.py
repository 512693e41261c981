"""What a flow has to run: DVC's graph, what is stale in it, and which stages can start at once."""

import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Stage:
    """A stage of dvc.yaml: the stages that it needs, the cores that it takes, and whether it is stale by itself."""

    name: str
    needs: frozenset[str]
    cores: int
    changed: bool


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
            cores = (stage.meta or {}).get("cores", 1)
            plan[stage.addressing] = Stage(
                stage.addressing,
                frozenset(needed.addressing for needed in graph.successors(stage)),
                sys.maxsize if cores == "all" else cores,
                stage.addressing in stale,
            )
    return plan


def outdated(plan: Plan) -> set[str]:
    """The stages that are stale by themselves, and all that come after them."""
    names: set[str] = set()
    for stage in plan.values():
        if stage.changed or stage.needs & names:
            names.add(stage.name)
    return names


def startable(plan: Plan, unfinished: set[str], running: set[str], cores: int) -> list[str]:
    """The stages that can start now beside the running ones; one that wants more cores than there are runs alone."""
    free = cores - sum(min(plan[name].cores, cores) for name in running)
    chosen = []
    for stage in plan.values():
        wanted = min(stage.cores, cores)
        if stage.name in unfinished - running and not stage.needs & unfinished and wanted <= free:
            chosen.append(stage.name)
            free -= wanted
    return chosen
