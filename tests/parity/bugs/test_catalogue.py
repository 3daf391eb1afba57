"""The catalogue is whole: every row, every text, every part."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter

import pytest

from parity.bugs.bug import Bug
from parity.bugs.catalogue import (
    ROWS,
    UnknownBugError,
    all_subjects,
    bugs,
    choose,
    not_planted,
    topics,
)
from parity.bugs.sources import source
from parity.stages.names import SELF_CHECKS, STAGES

EACH = pytest.mark.parametrize("bug", bugs(), ids=lambda bug: bug.name)

PLANTED_ROWS = 55
"""Of the 62, at least."""


def test_every_row_is_planted_or_says_why_not() -> None:
    planted, others = {bug.row for bug in bugs()}, {entry.row for entry in not_planted()}
    assert planted | others == set(range(1, ROWS + 1))
    assert not planted & others
    assert len(planted) >= PLANTED_ROWS
    assert all(len(entry.why) > 20 for entry in not_planted())


@pytest.mark.parametrize(
    "names",
    [[bug.name for bug in bugs()], [subject.name for subject in all_subjects()]],
    ids=["bugs", "subjects"],
)
def test_names_are_unique(names: list[str]) -> None:
    assert [name for name, times in Counter(names).items() if times > 1] == []


@EACH
def test_bug_is_described_for_people(bug: Bug) -> None:
    assert bug.title
    assert not bug.title.endswith(".")
    assert bug.symptom.endswith(".")
    assert bug.source
    assert not bug.source.endswith(".")


@EACH
def test_wrong_code_stands_beside_the_right(bug: Bug) -> None:
    wrong, right = (source(bug.subject.topic, spec) for spec in (bug.wrong, bug.right))
    assert ast.dump(ast.parse(wrong)) != ast.dump(ast.parse(right))


@EACH
def test_expectation_names_a_stage(bug: Bug) -> None:
    assert bug.stage in (SELF_CHECKS, *STAGES)
    assert bug.part in bug.subject.parts


@EACH
def test_only_the_port_is_changed(bug: Bug) -> None:
    wrong, right = bug.pair, bug.subject.right
    assert wrong.name == right.name
    assert wrong.batch_size == right.batch_size
    assert wrong.learning_rate == right.learning_rate


def test_hints_are_expected_of_most() -> None:
    assert sum(bug.expected_hint is not None for bug in bugs()) >= 30


def test_bugs_are_chosen_by_name_row_topic_and_tag() -> None:
    assert [bug.name for bug in choose(["flatten-order"])] == ["flatten-order"]
    assert {bug.row for bug in choose(["54"])} == {54}
    assert {bug.subject.topic for bug in choose(["losses"])} == {"losses"}
    assert 5 <= len(choose(["fast"])) <= 20
    assert choose([]) == bugs()


def test_unknown_name_is_an_error_that_says_where_to_look() -> None:
    with pytest.raises(UnknownBugError, match=r"no bug 'flaten'.*--list"):
        choose(["flaten"])


def test_row_that_is_not_planted_says_why() -> None:
    for entry in not_planted():
        with pytest.raises(UnknownBugError, match="cannot be planted"):
            choose([str(entry.row)])


def test_catalogue_imports_no_framework() -> None:
    code = (
        "import sys; from parity.bugs.catalogue import bugs; from parity.bugs import command; "
        "bugs(); print(*{'torch', 'jax', 'flax', 'optax'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
    assert len(topics()) > 5
