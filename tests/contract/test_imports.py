"""Imports go one way: flows -> cli -> stages -> methods, synthesis -> nn -> core."""

import sys

import pytest

from tests.contract.imports import MODULES, imports

# What every layer may stand on without being drawn into the direction
PLUMBING = {"errors", "files", "paths", "progress", "parallel", "offline", "config", "decoding", "faces"}

MAY_IMPORT = {
    "errors": set(),
    "paths": set(),
    "files": {"errors"},
    "progress": set(),
    "parallel": {"progress"},
    "offline": set(),
    "components": {"errors"},
    "config": {"errors", "paths"},
    "decoding": {"errors"},
    "faces": {"decoding", "errors", "files"},
    "core": {"core", "errors"},
    "manifests": {"core", "errors", "paths"},
    "detector": {"core"} | PLUMBING,
    "copies": {"core"} | PLUMBING,
    "sources": {"sources", "components", "detector", "core"} | PLUMBING,
    "nn": {"nn", "core"} | PLUMBING,
    "synthesis": {"components", "nn", "core"} | PLUMBING,  # neither each other nor a method
    "degradation": {"synthesis", "nn"} | PLUMBING,
    "families": {"nn", "core"} | PLUMBING,  # what the variants of one paper have in common; not each other
    "methods": {"components", "families", "nn", "core"} | PLUMBING,  # neither each other nor a synthesiser
    "quality": {"quality", "manifests", "core"} | PLUMBING,
    "charts": {"charts"},
    "protocols": {"protocols", "core"} | PLUMBING,
    "tested_faces": {"protocols", "sources"} | PLUMBING,
    "report": {"report", "charts", "core"} | PLUMBING,
    "card": {"card", "report", "charts", "manifests", "core"} | PLUMBING,
    "review": {"review", "manifests", "core"} | PLUMBING,
    "doctor": {"manifests", "core"} | PLUMBING,
    "stages": {
        "sources",
        "detector",
        "copies",
        "degradation",
        "manifests",
        "synthesis",
        "methods",
        "families",
        "protocols",
        "tested_faces",
        "quality",
        "report",
        "card",
        "embed",
        "nn",
        "core",
    }
    | PLUMBING,
    "embed": {"embed", "sources"} | PLUMBING,
    "score": {"score", "core", "charts", "errors", "files"},
    "cli": {"stages", "review", "doctor", "score"} | PLUMBING,
    "__main__": {"cli"},
    "flows": {"flows", "cli", "stages"} | PLUMBING,
}


def layer(module: str) -> str:
    """``lrfr.core.boxes`` is of core, ``lrfr.errors`` is errors, ``flows.pipeline`` is of flows."""
    package, _, rest = module.partition(".")
    return rest.partition(".")[0] if package == "lrfr" else package


def third_party(module: str) -> set[str]:
    names = {name.partition(".")[0] for name in imports(module)}
    return names - sys.stdlib_module_names - {"lrfr", "flows"}


HOUSE = [module for module in MODULES if module != "lrfr"]


@pytest.mark.parametrize("module", HOUSE)
def test_a_module_imports_only_what_lies_below_it(module):
    assert layer(module) in MAY_IMPORT, f"say in MAY_IMPORT where {layer(module)} stands"
    ours = {name for name in imports(module) if name in MODULES and name != "lrfr"}
    against = {name for name in ours if layer(name) not in MAY_IMPORT[layer(module)]}
    assert not against, f"{module} may not import {sorted(against)}"


@pytest.mark.parametrize("module", [module for module in HOUSE if layer(module) == "core"])
def test_core_knows_numpy_alone_and_no_disk(module):
    assert third_party(module) <= {"numpy"}
    assert not imports(module) & {"pathlib", "os", "shutil", "tempfile"}


LEARNING = {"nn", "families", "methods", "synthesis", "stages"}


@pytest.mark.parametrize("module", [module for module in HOUSE if layer(module) not in LEARNING])
def test_torch_stays_where_networks_are(module):
    assert not third_party(module) & {"torch", "torchvision", "timm"}


@pytest.mark.parametrize("module", [module for module in HOUSE if layer(module) != "flows"])
def test_who_orchestrates_is_known_to_flows_alone(module):
    assert not third_party(module) & {"prefect", "dvc"}
