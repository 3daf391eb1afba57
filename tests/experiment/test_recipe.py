"""The recipe is the published one, refuses what cannot be trained, and survives its file."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from experiment.recipe import Recipe, RecipeError


def test_default_is_the_published_recipe() -> None:
    recipe = Recipe()
    assert (recipe.epochs, recipe.batch_size, recipe.learning_rate) == (10, 32, 0.01)
    assert (recipe.momentum, recipe.nesterov, recipe.weight_decay) == (0, False, 0)
    assert (recipe.channels, recipe.hidden, recipe.classes) == ((64, 64, 128), 256, 10)
    assert recipe.pixel_divisor == 255


def test_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Recipe().epochs = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("epochs", 0),
        ("epochs", 2.5),
        ("epochs", True),
        ("batch_size", 0),
        ("learning_rate", -0.1),
        ("learning_rate", float("nan")),
        ("learning_rate", float("inf")),
        ("learning_rate", "0.1"),
        ("momentum", -0.5),
        ("momentum", 1.0),
        ("weight_decay", -1e-4),
        ("weight_decay", float("nan")),
        ("seed", -1),
        ("seed", 2**31),
        ("train_limit", 0),
        ("test_limit", -5),
        ("nesterov", 1),
        ("precision", "bfloat16"),
    ],
)
def test_names_the_field_that_cannot_be_trained(field: str, value: Any) -> None:
    with pytest.raises(RecipeError, match=rf"{field}: found {value!r}, expected"):
        Recipe(**{field: value})


def test_nesterov_needs_a_momentum() -> None:
    with pytest.raises(RecipeError, match=r"nesterov.*momentum"):
        Recipe(nesterov=True)
    assert Recipe(nesterov=True, momentum=0.9).nesterov


def test_names_every_wrong_field_at_once() -> None:
    with pytest.raises(RecipeError) as caught:
        Recipe(epochs=0, learning_rate=-1.0)
    assert "epochs" in str(caught.value)
    assert "learning_rate" in str(caught.value)


def test_a_batch_must_fit_into_the_training_pictures() -> None:
    Recipe(batch_size=100).check_fits(100)
    with pytest.raises(RecipeError, match="batch_size: found 101, expected at most the 100"):
        Recipe(batch_size=101).check_fits(100)


def test_survives_its_file() -> None:
    recipe = Recipe(epochs=3, momentum=0.9, nesterov=True, train_limit=64, precision="tf32")
    assert Recipe.from_json(recipe.to_json()) == recipe


def test_file_says_every_number_of_the_procedure() -> None:
    fields = json.loads(Recipe().to_json())
    assert {"channels", "hidden", "classes", "loss", "optimizer", "initialisation"} <= fields.keys()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": None}, "epochs: missing"),
        ({"epoch": 3}, "epoch: unknown field"),
        ({"epochs": -1}, "epochs: found -1"),
        ({"hidden": 512}, "hidden: found 512, this version has 256"),
    ],
)
def test_file_of_another_recipe_is_refused(change: dict[str, Any], message: str) -> None:
    values = {**json.loads(Recipe().to_json()), **change}
    if change == {"epochs": None}:
        del values["epochs"]
    with pytest.raises(RecipeError, match=message):
        Recipe.from_json(json.dumps(values))


def test_wrong_value_in_a_file_names_the_file() -> None:
    text = json.dumps({**json.loads(Recipe().to_json()), "epochs": 0})
    with pytest.raises(RecipeError, match=r"there/recipe\.json: .*(\n.*)*epochs: found 0"):
        Recipe.from_json(text, "there/recipe.json")


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", '"recipe"'])
def test_file_that_is_no_recipe_is_named(text: str) -> None:
    with pytest.raises(RecipeError, match=r"there/recipe\.json"):
        Recipe.from_json(text, "there/recipe.json")


def test_differences_name_field_and_both_values() -> None:
    assert Recipe().differences(Recipe()) == []
    assert Recipe(seed=1).differences(Recipe(seed=2)) == ["seed: 1 here, 2 there"]
