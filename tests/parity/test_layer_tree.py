"""The layers around a culprit in a deep model."""

from parity.layer_tree import layer_tree
from parity.verdict import Departure, Layer

LAYERS = [
    Layer(path=path, kind="torch.nn.Conv2d", port_path=path.replace(".", "/"))
    for i in range(20)
    for path in (f"block{i}", f"block{i}.conv", f"block{i}.norm")
]


def tree(layer: str, place: str = "output") -> list[str]:
    departure = Departure(stage="forward", lane="float64", place=place, text="", layer=layer)  # type: ignore[arg-type]
    return layer_tree(LAYERS, departure)


def test_only_the_way_to_the_culprit_is_open_and_what_is_far_is_counted() -> None:
    lines = tree("block9.norm")
    assert len(lines) == 13
    assert lines[0] == "  ... 5 before"
    assert lines[-1] == "  ... 6 after"
    assert lines[5:8] == [
        "  block9 (Conv2d)  = block9",
        "    conv (Conv2d)  = block9/conv",
        "    norm (Conv2d)  = block9/norm   <<< HERE",
    ]


def test_between_says_on_which_side() -> None:
    assert any(line.endswith("<<< HERE, before it") for line in tree("block3.conv", "between"))
