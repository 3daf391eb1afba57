"""Runs of right pairs are counted, none twice, and none that were made elsewhere."""

from __future__ import annotations

import pytest

from parity.false_alarms.page import page
from parity.false_alarms.tally import TallyError, add, empty, read_tally, seeds_of, write_tally
from parity.verdict import Row, StageResult, Verdict

WHERE = {
    "python": "3.11",
    "versions": {"jax": "0.10"},
    "device": "CPU",
    "platform": "Linux",
    "threads": {"reference": 1, "port": 1},
}


def verdict(seed: int, needed: float) -> Verdict:
    failed = needed > 16
    row = Row(name=f"gradient/{seed}", what="", needed=needed, limit=16)
    result = StageResult(
        stage="gradient",
        lane="float32",
        status="fail" if failed else "pass",
        summary=f"seed {seed} departs" if failed else "agrees",
        tolerance=16.0,
        needed=needed,
        worst=row,
    )
    skipped = StageResult(stage="data", lane="float64", status="skipped", summary="no loaders")
    return Verdict(
        pair="net",
        seed=seed,
        nonce="",
        date=f"2026-01-{seed + 1:02}T00:00:00",
        lanes=("float64", "float32"),
        results=(skipped, result),
    )


def counted(*needed: float):
    tally = empty()
    for seed, number in enumerate(needed):
        tally = add(tally, "net", verdict(seed, number), WHERE)
    return tally


def test_the_largest_tolerance_that_any_seed_needed_is_kept_with_its_seed_and_tensor():
    found = counted(1.0, 5.0, 2.0)["pairs"]["net"]["stages"]["gradient"]["float32"]
    assert (found["needed"], found["seed"], found["tensor"]) == (5.0, 1, "gradient/1")
    assert (found["pass"], found["fail"], found["allowed"]) == (3, 0, 16.0)


def test_a_failure_is_a_false_alarm_of_its_run_and_says_what_departed():
    entry = counted(1.0, 20.0)["pairs"]["net"]
    assert (entry["seeds"], entry["failed"]) == ([0, 1], [1])
    assert entry["stages"]["gradient"]["float32"]["failures"] == [
        {"seed": 1, "summary": "seed 1 departs"}
    ]


def test_a_skipped_stage_is_no_pass():
    found = counted(1.0)["pairs"]["net"]["stages"]["data"]["float64"]
    assert (found["pass"], found["skipped"], found["needed"]) == (0, 1, None)


def test_no_seed_counts_twice_and_no_run_of_other_versions():
    tally = counted(1.0)
    with pytest.raises(TallyError, match="seed 0 is counted already"):
        add(tally, "net", verdict(0, 1.0), WHERE)
    with pytest.raises(TallyError, match="measure it anew"):
        add(tally, "net", verdict(1, 1.0), {**WHERE, "python": "3.12"})


def test_the_file_remembers_which_seeds_it_has(tmp_path):
    file = tmp_path / "results" / "tally.json"
    assert read_tally(file) == empty()
    write_tally(file, counted(1.0, 2.0))
    assert seeds_of(read_tally(file), "net") == [0, 1]
    assert seeds_of(read_tally(file), "other") == []


@pytest.mark.parametrize("content", ["{", '{"schema": 99}', "[]"])
def test_a_file_that_is_no_tally_is_refused_by_name(tmp_path, content):
    file = tmp_path / "tally.json"
    file.write_text(content)
    with pytest.raises(TallyError, match=r"tally\.json"):
        read_tally(file)


def test_the_page_states_the_rate_its_bound_and_every_failure():
    text = page(counted(*[1.0] * 9), "results/x.json")
    assert "**0 of 9 runs were false alarms.**" in text
    assert "| 28.3 % |" in text  # 1 - 0.05 ** (1 / 9)
    assert "| `net` | 0-8 | 9 | 0 |" in text
    text = page(counted(1.0, 20.0), "results/x.json")
    assert "**1 of 2 runs were false alarms.**" in text
    assert "| `net` | float32 | gradient | 1 | seed 1 departs |" in text


def test_the_bound_is_clopper_and_pearsons():
    # R: binom.test(1, 20, alternative = "less")$conf.int has 0.2161
    assert "| 21.6 % |" in page(counted(20.0, *[1.0] * 8, *[1.0] * 11), "x.json")
