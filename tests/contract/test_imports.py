"""Imports go one way: flows -> cli -> stages -> methods, synthesis -> nn -> core.

One test a rule; each lists every module that breaks it.
"""

import json
import subprocess
import sys

import networkx

from tests.contract.imports import MODULES, closure, imports

# What every layer may stand on without being drawn into the direction
PLUMBING = {
    "errors",
    "files",
    "paths",
    "progress",
    "lifetime",
    "parallel",
    "offline",
    "config",
    "decoding",
    "faces",
    "images",
}

# Modules of one package may import one another, those of methods and synthesis apart
MAY_IMPORT = {
    "errors": set(),
    "paths": set(),
    "pages": set(),
    "loopback": {"errors"},
    "progress": set(),
    "offline": set(),
    "memory": set(),
    "circumstances": set(),
    "files": {"errors"},
    "recovery": {"errors", "files", "yaml_file"},
    "lifetime": set(),
    "parallel": {"errors", "lifetime", "progress"},
    "registry": {"errors"},
    "yaml_file": {"errors"},
    "config": {"errors", "paths", "yaml_file"},
    "decoding": {"errors"},
    "faces": {"decoding", "errors", "files"},
    "images": {"decoding", "errors", "faces", "files"},
    "code": set(),
    "parameter_files": {"errors", "yaml_file"},
    "curation": {"config", "core"},
    "closest": {"config", "errors", "files", "paths"},
    "hr_faces": {"errors", "faces", "paths"},
    "core": {"errors"},
    "manifests": {"core", "errors", "paths"},
    "detector": {"core"} | PLUMBING,
    "copies": {"core"} | PLUMBING,
    "sources": {"registry", "detector", "curation", "core"} | PLUMBING,
    "nn": {"registry", "code", "core", "memory"} | PLUMBING,
    "synthesis": {"registry", "nn", "core"} | PLUMBING,
    "methods": {"registry", "closest", "nn", "core"} | PLUMBING,
    "quality": {"pages", "manifests", "curation", "detector", "nn", "core"} | PLUMBING,
    "charts": set(),
    "protocols": {"registry", "core"} | PLUMBING,
    "test_sets": PLUMBING,
    "report": {"pages", "charts", "closest", "core"} | PLUMBING,
    "card": {"report", "pages", "charts", "manifests", "curation", "core"} | PLUMBING,
    "review": {"loopback", "manifests", "curation", "core"} | PLUMBING,
    "flow_lock": {"errors", "files"},
    "retraining": {
        "sources",
        "detector",
        "nn",
        "protocols",
        "test_sets",
        "release",
        "quality",
        "charts",
        "manifests",
        "core",
        "yaml_file",
    }
    | PLUMBING,
    "doctor": {"manifests", "core", "memory", "recovery", "flow_lock", "retraining"} | PLUMBING,
    "embed": {"sources", "core"} | PLUMBING,
    "release": {"nn", "protocols", "pages", "core", "yaml_file"} | PLUMBING,
    "galleries": {"release", "core"} | PLUMBING,
    "serve": {"loopback", "galleries", "release", "sources", "nn", "detector", "core"} | PLUMBING,
    "score": {"core", "charts", "errors", "files", "memory"},
    "stages": {
        "sources",
        "detector",
        "copies",
        "code",
        "hr_faces",
        "curation",
        "closest",
        "manifests",
        "synthesis",
        "methods",
        "protocols",
        "test_sets",
        "quality",
        "report",
        "card",
        "pages",
        "embed",
        "release",
        "retraining",
        "nn",
        "core",
    }
    | PLUMBING,
    "cli": {"stages", "release", "serve", "review", "doctor", "score", "parameter_files", "circumstances", "recovery"}
    | PLUMBING,
    "__main__": {"cli"},
    "flows": {"cli", "stages", "release", "retraining", "circumstances", "recovery", "flow_lock"} | PLUMBING,
}
APART = ("methods", "synthesis")  # packages whose modules never import each other
LEARNING = {"nn", "methods", "synthesis", "stages"}
NETWORKS = {"torch", "torchvision", "timm", "lightning"}
ORCHESTRATORS = {"prefect", "dvc"}
DISK = {"pathlib", "os", "shutil", "tempfile"}
# What `lrfr --help` must do without; what takes seconds to import, and what follows in its wake
HEAVY = NETWORKS | ORCHESTRATORS | {"great_expectations", "evidently", "albumentations", "sklearn", "scipy", "pandas"}
HEAVY |= {"numpy", "cv2", "pyarrow", "pydantic", "jinja2"}

HOUSE = [module for module in MODULES if module != "lrfr"]


def layer(module: str) -> str:
    """``lrfr.core.boxes`` is of core, ``lrfr.errors`` is errors, ``flows.pipeline`` is of flows."""
    package, _, rest = module.partition(".")
    return rest.partition(".")[0] if package == "lrfr" else package


def ours(module: str) -> set[str]:
    """The modules of this repository that a module imports."""
    return {name for name in imports(module) if name in MODULES and name != "lrfr"}


def packages(module: str, when_loaded: bool = False) -> set[str]:
    """The packages, ours apart, that a module imports."""
    return {name.partition(".")[0] for name in imports(module, when_loaded)} - {"lrfr", "flows"}


def listed(offenders: dict[str, set[str]]) -> str:
    """One line for each module that breaks a rule, with what it imports against it; empty where none does."""
    return "\n".join(f"{module}: {', '.join(sorted(against))}" for module, against in offenders.items() if against)


def test_a_module_imports_only_what_lies_below_it():
    unplaced = {layer(module) for module in HOUSE} - MAY_IMPORT.keys()
    assert not unplaced, "say in MAY_IMPORT what these may import"
    above = {m: {name for name in ours(m) if layer(name) not in MAY_IMPORT[layer(m)] | {layer(m)}} for m in HOUSE}
    assert not listed(above), f"imports against the direction:\n{listed(above)}"


def test_a_method_knows_no_other_method_and_a_synthesiser_no_other():
    plugins = {module for module in HOUSE if layer(module) in APART and module.count(".") > 1}  # not the packages
    siblings = {module: ours(module) & {name for name in plugins if layer(name) == layer(module)} for module in plugins}
    assert not listed(siblings), f"modules that know their siblings:\n{listed(siblings)}"


def test_no_imports_run_in_a_circle():
    modules = networkx.DiGraph((module, name) for module in HOUSE for name in ours(module))
    layers = networkx.DiGraph((layer(a), layer(b)) for a, b in modules.edges if layer(a) != layer(b))
    circles = [
        " -> ".join(a for a, _ in networkx.find_cycle(graph.subgraph(part)))
        for graph in (modules, layers)
        for part in networkx.strongly_connected_components(graph)
        if len(part) > 1
    ]
    assert not circles


def test_core_knows_numpy_alone_and_no_disk():
    core = [module for module in HOUSE if layer(module) == "core"]
    against = {m: (packages(m) - sys.stdlib_module_names - {"numpy"}) | (packages(m) & DISK) for m in core}
    assert not listed(against), f"core is numpy, without a disk:\n{listed(against)}"


def test_torch_stays_where_networks_are():
    against = {module: packages(module) & NETWORKS for module in HOUSE if layer(module) not in LEARNING}
    assert not listed(against), f"torch above or beside the networks:\n{listed(against)}"


def test_who_orchestrates_is_known_to_flows_alone():
    against = {module: packages(module) & ORCHESTRATORS for module in HOUSE if layer(module) != "flows"}
    assert not listed(against), f"domain code that knows who runs it:\n{listed(against)}"


def test_heavy_packages_are_imported_inside_the_commands_that_need_them():
    loaded = closure({"lrfr.cli", "lrfr.__main__"}, when_loaded=True)
    against = {module: packages(module, when_loaded=True) & HEAVY for module in sorted(loaded)}
    assert not listed(against), f"heavy packages that every command would wait for:\n{listed(against)}"


def test_the_help_loads_nothing_heavy():
    """What the source does not show: a package that brings a heavy one along."""
    program = (
        "import json, sys\nfrom lrfr.cli import app\nsys.argv = ['lrfr', '--help']\ntry:\n    app()\n"
        "finally:\n    print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    heavy = HEAVY & set(json.loads(done.stderr))
    assert not heavy
