"""The pair of a small network and one optimizer of a topic. No framework here."""

from __future__ import annotations

import importlib
from functools import partial
from typing import Any

from parity.bridge.declarations import Waiver
from parity.bugs.bug import Parts, Subject, part
from parity.pair import Pair


def subject(
    name: str,
    topic: str,
    reference: str,
    port: str,
    *waivers: Waiver,
    weight: float = 1.0,
    **parts: str,
) -> Subject:
    """A subject whose part 'optimizer' is `port`, and that trains with the topic's `reference`.

    `weight` is what the loss is multiplied with; a part 'combine' treats gradients before.
    """
    return Subject(
        name=name,
        topic=topic,
        parts={"optimizer": port, **parts},
        pair=partial(_pair, name, topic, reference, weight, waivers),
    )


def _pair(
    name: str, topic: str, reference: str, weight: float, waivers: tuple[Waiver, ...], parts: Parts
) -> Pair:
    return Pair(
        name=name,
        reference=_reference,
        port=_port,
        inputs=lambda generator, n: generator.normal(size=(n, 6)),
        targets=lambda generator, n: generator.normal(size=(n, 4)),
        reference_loss=partial(_loss, weight),
        port_loss=partial(_loss, weight),
        reference_optimizer=partial(_reference_optimizer, topic, reference),
        port_optimizer=partial(_port_optimizer, topic, parts),
        waivers=waivers,
    )


def _reference(seed: int) -> Any:
    from parity.bugs.optimizers.reference import Mlp

    return Mlp()


def _port(seed: int) -> Any:
    from flax import nnx

    from parity.bugs.optimizers.port import Mlp

    return Mlp(nnx.Rngs(seed))


def _loss(weight: float, outputs: Any, targets: Any) -> Any:
    return weight * ((outputs - targets) ** 2).mean()


def _reference_optimizer(topic: str, name: str, model: Any, rate: float) -> Any:
    found = importlib.import_module(f"parity.bugs.{topic}.reference")
    return getattr(found, name)(model, rate)


def _port_optimizer(topic: str, parts: Parts, model: Any, rate: float) -> Any:
    import optax

    from parity.bugs.optimizers.port import over_devices

    optimizer = part(topic, parts["optimizer"])(rate)
    if "combine" not in parts:
        return optimizer
    return optax.chain(over_devices(part(topic, parts["combine"])), optimizer)
