"""One sentence for many names."""

from parity.grouping import grouped, listed


def test_long_lists_are_shortened_and_names_stand_once() -> None:
    assert listed(["a", "b", "a"]) == "a, b"
    assert listed("abcde") == "a, b, c, d, e"
    assert listed("abcdefg") == "a, b, c, d and 3 more"


def test_names_with_one_reason_share_a_sentence() -> None:
    assert grouped({"a": "x", "b": "y", "c": "x", "d": ""}) == ["a, c: x", "b: y", "d"]
