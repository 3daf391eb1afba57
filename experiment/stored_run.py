"""What a run folder says of the run that began in it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from experiment.errors import UserError
from experiment.recipe import Recipe


class RunFolderError(UserError):
    """A run folder that cannot be started or resumed."""


@dataclasses.dataclass(frozen=True)
class StoredRun:
    """What a run folder says of the run that is in it."""

    recipe: Recipe
    provenance: dict[str, Any]


def read_stored_run(path: Path) -> StoredRun | None:
    """The run in folder `path`, or None where none has begun.

    Raises `RunFolderError` or `RecipeError` where recipe.json or provenance.json is damaged.
    """
    if not (path / "recipe.json").is_file():
        return None
    recipe = Recipe.from_json(_read_text(path / "recipe.json"), str(path / "recipe.json"))
    try:
        provenance = json.loads((path / "provenance.json").read_text())
        for key in ("framework", "threads", "data", "init"):
            provenance[key]
        for key in ("data", "init"):
            provenance[key]["source"], provenance[key]["sha256"]
        provenance["data"]["spec"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunFolderError(
            f"{path / 'provenance.json'}: cannot be read ({error!r}); expected the file that the "
            "run wrote. Restore it or start a new run in another --out"
        ) from error
    return StoredRun(recipe, provenance)


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RunFolderError(
            f"{path}: cannot be read ({error}); restore it or start a new run in another --out"
        ) from error
