"""A capture says whose model it is."""

from __future__ import annotations

from experiment.provenance import code_digests
from experiment.recipe import Recipe
from parity.capture.source import code_of, source_of


def test_model_of_this_repository_names_its_file_and_digests_its_package() -> None:
    found = source_of(Recipe())
    assert (found["module"], found["file"]) == ("experiment.recipe", "recipe.py")
    assert "class Recipe" in found["text"]
    assert code_of(Recipe()) == code_digests("experiment")


def test_class_without_a_file_has_no_source() -> None:
    made: dict[str, type] = {}
    exec("class Made: ...", {"__name__": "nowhere"}, made)
    assert source_of(made["Made"]()) == {}
    assert code_of(made["Made"]()) == {}
