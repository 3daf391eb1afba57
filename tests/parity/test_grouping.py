"""One sentence for many names."""

from parity.grouping import grouped, listed


def test_long_lists_are_shortened_and_names_stand_once() -> None:
    assert listed(["a", "b", "a"]) == "a, b"
    assert listed("abcde") == "a, b, c, d, e"
    assert listed("abcdefg") == "a, b, c, d and 3 more"


def test_names_with_one_reason_share_a_sentence() -> None:
    assert grouped({"a": "x", "b": "y", "c": "x", "d": ""}) == ["a, c: x", "b: y", "d"]


def test_layers_that_differ_in_their_numbers_are_one_name_and_a_count() -> None:
    relus = [f"blocks.{i}.relu" for i in range(12)]
    assert listed(["stem", *relus, "head"]) == "stem, blocks.0-11.relu (12), head"
    assert (
        listed(f"encoder/{i}/drop#{j}" for i in (2, 3) for j in (0, 1))
        == "encoder/2-3/drop#0-1 (4)"
    )
    assert listed(["a.1.b", "a.3.b", "a.7.b"]) == "a.*.b (3)", "2 is not among them"
    assert listed(["a.1", "a.2"]) == "a.1, a.2"
    assert listed(["conv1", "conv2", "conv3"]) == "conv1, conv2, conv3"
    assert grouped(dict.fromkeys(relus, "not there")) == ["blocks.0-11.relu (12): not there"]


def test_more_counts_names_not_groups() -> None:
    names = ["a", "b", "c", "d", "e", *(f"f.{i}" for i in range(9))]
    assert listed(names) == "a, b, c, d and 10 more"
