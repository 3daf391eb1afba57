"""Normalisations: weight and bias are NNX's scale and bias, running statistics its BatchStat."""

from __future__ import annotations

from parity.bridge.rules.rule import Rule, Site, Slot, rule_of_slots, same

_SCALE = Slot("weight", "scale", same, same)
_BIAS = Slot("bias", "bias", same, same)
_MEAN = Slot("running_mean", "mean", same, same)
_VARIANCE = Slot("running_var", "var", same, same)


def _cumulative(site: Site) -> str:
    if site.settings["momentum"] is not None:
        return ""
    return "momentum=None averages over all batches: nnx.BatchNorm has no such statistics"


def _untracked(site: Site) -> str:
    if site.settings["track_running_stats"]:
        return ""
    return "nnx.BatchNorm always keeps running statistics, and this layer has none"


def _batch_norm(kind: str) -> Rule:
    return rule_of_slots(
        f"torch.nn.{kind}",
        "flax.nnx.BatchNorm",
        (_SCALE, _BIAS, _MEAN, _VARIANCE),
        refuse=lambda site: _cumulative(site) or _untracked(site),
        note="NNX's momentum is 1 - PyTorch's; its running variance is biased",
    )


def _instance_statistics(site: Site) -> str:
    if not site.settings["track_running_stats"]:
        return ""
    return "nnx.InstanceNorm keeps no running statistics: use parity.layers.InstanceNorm"


def _instance_norm(dimensions: int) -> Rule:
    return rule_of_slots(
        f"torch.nn.InstanceNorm{dimensions}d",
        "flax.nnx.InstanceNorm",
        (_SCALE, _BIAS),
        refuse=_instance_statistics,
        note="running statistics: parity.layers.InstanceNorm",
    )


def _several_axes(site: Site) -> str:
    shape = site.settings["normalized_shape"]
    if len(shape) == 1:
        return ""
    return f"it normalises {len(shape)} axes {tuple(shape)}: NNX's scale and bias have one axis"


RULES = (
    *(_batch_norm(kind) for kind in ("BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "SyncBatchNorm")),
    rule_of_slots(
        "torch.nn.LayerNorm", "flax.nnx.LayerNorm", (_SCALE, _BIAS), refuse=_several_axes
    ),
    rule_of_slots("torch.nn.RMSNorm", "flax.nnx.RMSNorm", (_SCALE,), refuse=_several_axes),
    rule_of_slots("torch.nn.GroupNorm", "flax.nnx.GroupNorm", (_SCALE, _BIAS)),
    *(_instance_norm(n) for n in (1, 2, 3)),
)
