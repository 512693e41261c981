"""The import closure of a module, on a small package of its own; and the hash of files."""

import pytest

from lrfr import code


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Writes files of a package ``house`` that stands in for lrfr, and says what a module of it leads to."""
    root = tmp_path / "house"
    monkeypatch.setattr(code, "PACKAGE", root)
    monkeypatch.setattr(code, "TEMPLATES", root / "templates")

    def write(**files):
        for name in ("", "nn", "kinds", "templates"):
            (root / name).mkdir(parents=True, exist_ok=True)
            if name != "templates":
                (root / name / "__init__.py").touch()
        for name, text in files.items():
            path = root / name.replace("__", "/")
            path = path.with_suffix(".py") if path.parent.name != "templates" else path.with_suffix(".html.j2")
            path.write_text(text)
        code._needed_by.cache_clear()
        code._templates.cache_clear()

    yield write
    code._needed_by.cache_clear()
    code._templates.cache_clear()


def closure(*modules):
    return [file.relative_to(code.PACKAGE).as_posix() for file in code.closure(*modules)]


def test_a_module_leads_to_what_it_imports_and_to_the_packages_of_that(package):
    package(
        first="import json\nimport house.nn.second as other\n",
        nn__second="from house.nn.third import thing\nfrom pathlib import Path\n",
        nn__third="thing = 1\n",
        nn__fourth="",
    )
    assert closure("house.first") == ["__init__.py", "first.py", "nn/__init__.py", "nn/second.py", "nn/third.py"]
    assert closure("house.nn.third") == ["__init__.py", "nn/__init__.py", "nn/third.py"]


def test_a_name_may_be_a_module_of_the_package_that_it_is_imported_from(package):
    package(first="from house import nn, second\nfrom house.nn import third, fourth\n", second="", nn__third="",
            nn__fifth="")  # fmt: skip
    assert closure("house.first") == ["__init__.py", "first.py", "nn/__init__.py", "nn/third.py", "second.py"]


def test_what_a_package_imports_counts_for_each_of_its_modules(package):
    package(first="import house.nn.second\n", nn__second="", third="")
    (code.PACKAGE / "nn" / "__init__.py").write_text("from house import third\n")
    assert "third.py" in closure("house.first")


def test_circles_end_and_several_modules_are_read_together(package):
    package(first="import house.second\n", second="import house.first\n", third="")
    assert closure("house.first") == ["__init__.py", "first.py", "second.py"]
    assert closure("house.first", "house.third") == ["__init__.py", "first.py", "second.py", "third.py"]


def test_lazy_imports_count_wherever_they_stand(package):
    package(
        first="def work():\n    if True:\n        from house import second\n        return lambda: second\n"
        "class Thing:\n    def method(self):\n        import house.third\n"
        "try:\n    import house.fourth\nexcept ImportError:\n    pass\n",
        second="",
        third="",
        fourth="",
        fifth="",
    )
    assert closure("house.first") == ["__init__.py", "first.py", "fourth.py", "second.py", "third.py"]


def test_what_is_imported_for_type_checkers_does_not_count(package):
    package(
        first="from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from house import second\n"
        "else:\n    from house import third\n",
        second="",
        third="",
    )
    assert closure("house.first") == ["__init__.py", "first.py", "third.py"]


def test_what_is_imported_by_another_name_in_the_same_package_is_all_of_the_package(package):
    package(
        first="from importlib import import_module\ndef find(name):\n"
        '    return import_module(f"house.kinds.{name}").run()\n',
        kinds__one="import house.second\n",
        kinds__two="",
        second="",
        third="",
    )
    expected = ["__init__.py", "first.py", "kinds/__init__.py", "kinds/one.py", "kinds/two.py", "second.py"]
    assert closure("house.first") == expected


def test_a_package_that_imports_by_its_own_name_is_all_of_itself(package):
    package(kinds__one="", kinds__two="", nn__one="")
    (code.PACKAGE / "kinds" / "__init__.py").write_text(
        'from importlib import import_module\ndef find(name):\n    return import_module(f"{__name__}.{name}")\n'
    )
    assert closure("house.kinds") == ["__init__.py", "kinds/__init__.py", "kinds/one.py", "kinds/two.py"]


def test_a_getattr_imports_for_others(package):
    package(kinds__one="", first="import house.kinds\n")
    (code.PACKAGE / "kinds" / "__init__.py").write_text(
        'from importlib import import_module\ndef __getattr__(name):\n    return import_module(f"{__name__}.{name}")\n'
    )
    assert closure("house.first") == ["__init__.py", "first.py", "kinds/__init__.py"]


def test_components_do_not_count(package):
    """Whoever finds a component of any package by its name in params.yaml leads to none of them."""
    package(
        registry="from importlib import import_module\ndef component(package, name):\n"
        '    return import_module(f"{package}.{name}")\n',
        first='from house.registry import component\ncomponent("house.kinds", "one")\n',
        kinds__one="",
    )
    assert closure("house.first") == ["__init__.py", "first.py", "registry.py"]


def test_templates_count_with_all_that_they_include(package):
    package(
        first='from house.pages import render\nrender("page.html.j2")\n',
        pages="def render(name):\n    return name\n",
        templates__page="{% extends \"frame.html.j2\" %}\n{%- include 'part.html.j2' -%}\n",
        templates__frame="<html>",
        templates__part='{% import "macros.html.j2" as macros %}',
        templates__macros="",
        templates__other="",
    )
    expected = [f"templates/{name}.html.j2" for name in ("frame", "macros", "page", "part")]
    assert closure("house.first") == ["__init__.py", "first.py", "pages.py", *expected]


def test_a_closure_of_lrfr_itself():
    found = {file.relative_to(code.PACKAGE).as_posix() for file in code.closure("lrfr.stages.evaluate")}
    assert {"stages/evaluate.py", "protocols/tinyface.py", "core/identification.py", "config.py"} <= found
    assert not {file for file in found if file.startswith(("nn/", "methods/", "sources/"))}


def test_a_digest_changes_with_a_file_and_with_its_place(package):
    package(first="a = 1\n", second="b = 1\n")
    files = [code.PACKAGE / f"{name}.py" for name in ("first", "second")]
    before = code.digest(files)
    assert code.digest(files) == before and len(before) == 64
    assert code.digest(files[:1]) != before
    files[1].write_text("b = 2\n")
    changed = code.digest(files)
    assert changed != before
    files[1].write_text("b = 1\n")
    assert code.digest(files) == before
    moved = files[1].rename(code.PACKAGE / "third.py")
    assert code.digest([files[0], moved]) != before


def test_the_line_between_two_files_is_known(package):
    """What moves from the end of one file to the beginning of the next is a change."""
    package(first="a = 1\nb = 1\n", second="")
    files = [code.PACKAGE / f"{name}.py" for name in ("first", "second")]
    before = code.digest(files)
    files[0].write_text("a = 1\n")
    files[1].write_text("b = 1\n")
    assert code.digest(files) != before
