"""Bugs in weights on their way, in a training and in its record. No framework here."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from parity.bridge.rules.rule import Arrays, Rule, Site
from parity.bugs.bug import Bug, NotPlanted, Parts, Subject, part
from parity.bugs.training.data import batches, examples
from parity.pair import Pair, Training

TOPIC = "training"


def _pair(parts: Parts) -> Pair:
    return Pair(
        name="training",
        reference=_reference,
        port=partial(_port, parts),
        inputs=lambda generator, n: examples(generator, n)[0],
        targets=lambda generator, n: examples(generator, n)[1],
        reference_loss=_reference_loss,
        port_loss=_port_loss,
        reference_optimizer=_reference_optimizer,
        port_optimizer=_port_optimizer,
        rules=_rules(parts),
        reference_training=Training(
            batches=batches, epoch=_reference_epoch, evaluate=_reference_evaluate
        ),
        port_training=Training(
            batches=batches, epoch=partial(_port_epoch, parts), evaluate=_port_evaluate
        ),
    )


def _rules(parts: Parts) -> tuple[Rule, ...]:
    """The way to the port's own layers, and back."""
    reference, port = "parity.bugs.training.reference.Head", "parity.bugs.training.port"
    dense = partial(_there, parts["copy"])
    head = partial(_there, parts["copy_head"])
    return (
        Rule("torch.nn.Linear", f"{port}.Dense", dense, _dense_back),
        Rule(reference, f"{port}.Head", head, _head_back, whole=True),
    )


def _there(spec: str, arrays: Arrays, site: Site) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = part(TOPIC, spec)(arrays, site)
    return found


def _dense_back(arrays: Arrays, site: Site) -> dict[str, np.ndarray]:
    return {"weight": arrays["kernel"].T, "bias": arrays["bias"]}


def _head_back(arrays: Arrays, site: Site) -> dict[str, np.ndarray]:
    return {
        name.replace("kernel", "weight"): array.T if name.endswith("kernel") else array
        for name, array in arrays.items()
    }


def _reference(seed: int) -> Any:
    from parity.bugs.training.reference import Network

    return Network()


def _port(parts: Parts, seed: int) -> Any:
    from flax import nnx

    from parity.bugs.training.port import Network

    part(TOPIC, parts["precision"])()
    return Network(nnx.Rngs(seed), part(TOPIC, parts["norm"]))


def _reference_loss(outputs: Any, targets: Any) -> Any:
    from parity.bugs.training.reference import loss

    return loss(outputs, targets)


def _port_loss(outputs: Any, targets: Any) -> Any:
    from parity.bugs.training.port import loss

    return loss(outputs, targets)


def _reference_optimizer(model: Any, rate: float) -> Any:
    from parity.bugs.training.reference import sgd

    return sgd(model, rate)


def _port_optimizer(model: Any, rate: float) -> Any:
    import optax

    return optax.sgd(rate, momentum=0.9)


def _reference_epoch(model: Any, optimizer: Any, epoch: int) -> Any:
    from parity.bugs.training.reference import train

    return train(model, optimizer, epoch)


def _port_epoch(parts: Parts, model: Any, optimizer: Any, epoch: int) -> Any:
    from parity.bugs.training.port import train

    chosen = {name: part(TOPIC, parts[name]) for name in ("resume", "epoch_loss")}
    return train(chosen, model, optimizer, epoch)


def _reference_evaluate(model: Any) -> Any:
    from parity.bugs.training.reference import evaluate

    return evaluate(model)


def _port_evaluate(model: Any) -> Any:
    from parity.bugs.training.port import evaluate

    return evaluate(model)


SUBJECT = Subject(
    name="training",
    topic=TOPIC,
    parts={
        "precision": "products_in_float32",
        "copy": "copy_dense",
        "copy_head": "copy_head",
        "norm": "batch_norm",
        "resume": "resume",
        "epoch_loss": "mean_of_batches",
    },
    pair=_pair,
)

SUBJECTS = (SUBJECT,)

_bug = partial(Bug, subject=SUBJECT)

BUGS = (
    _bug(
        row=40,
        name="weighted-epoch-loss",
        title="Weight an epoch's loss by examples where the reference takes the mean of batches",
        symptom="The training is the same. The recorded curves differ in the third digit, by the "
        "short last batch, and are taken for two trainings.",
        source="[torch.nn.MSELoss](https://docs.pytorch.org/docs/stable/generated/"
        "torch.nn.MSELoss.html), reduction: a mean over one batch",
        part="epoch_loss",
        wrong="mean_of_examples",
        stage="trajectory",
        words="train_loss",
    ),
    _bug(
        row=52,
        name="stale-optimizer-state",
        title="Resume with the checkpoint's weights and the optimizer's present state",
        symptom="The first loss after it is exactly right. The next steps carry a momentum of "
        "other weights, a bump in the curve that is blamed on the data.",
        source="[PyTorch: saving a general checkpoint](https://docs.pytorch.org/tutorials/recipes/"
        "recipes/saving_and_loading_a_general_checkpoint.html)",
        part="resume",
        wrong="resume_weights_alone",
        stage="trajectory",
        words="losses depart from step 6 on",
    ),
    _bug(
        row=57,
        name="tf32-on-one-side",
        title="Let JAX take products in TF32, as it does on a GPU unless told otherwise",
        symptom="Ten bits of each factor instead of 23: errors of 1e-3, which look like a bug in "
        "every layer. On a CPU nothing shows but the switch.",
        source="[jax#12008](https://github.com/google/jax/issues/12008)",
        part="precision",
        wrong="products_in_tf32",
        stage="config",
        words="jax_default_matmul_precision",
    ),
    _bug(
        row=60,
        name="layer-never-copied",
        title="Forget a layer in a converter written by hand",
        symptom="The layer keeps its initialisation. Outputs look plausible, and fine-tuning "
        "repairs them, at some cost.",
        source="[Flax: convert PyTorch models to Flax](https://flax.readthedocs.io/en/latest/"
        "guides/converting_and_upgrading/convert_pytorch_to_flax.html)",
        part="copy_head",
        wrong="copy_hidden_alone",
        stage="weights",
        layer="head.out",
        # The bridge refuses before anything is computed; what it says needs no hint.
        hinted=False,
    ),
)

NOT_PLANTED = (
    NotPlanted(
        58,
        "Memory aliased between frameworks",
        "each framework runs in a process of its own, and what crosses lies in a file that is read "
        "again for each use, so no array of one can be an array of the other. The self-checks "
        "'the port shares no memory with what crosses' and the reference's prove it in each run",
    ),
)
