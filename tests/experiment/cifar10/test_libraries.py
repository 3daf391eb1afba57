import sys
from pathlib import Path

import pytest

from experiment.cifar10 import MissingLibraryError
from experiment.cifar10.libraries import needed


def test_an_installed_library_is_imported():
    assert needed("json", purpose="This test", install="nothing") is sys.modules["json"]


def test_a_missing_library_is_named_with_the_command_that_installs_it():
    words = r"Counting needs abacus_9, which cannot be imported here \(ModuleNotFoundError.*pip i"
    with pytest.raises(MissingLibraryError, match=words):
        needed("abacus_9.beads", purpose="Counting", install="pip install abacus_9")


def test_a_library_that_fails_to_start_is_an_error_of_the_same_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """As torchvision does beside a PyTorch it was not built for."""
    (tmp_path / "broken_9.py").write_text("raise RuntimeError('operator does not exist')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MissingLibraryError, match="RuntimeError: operator does not exist"):
        needed("broken_9", purpose="Detecting", install="pip install broken_9")
