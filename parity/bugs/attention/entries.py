"""Bugs in attention and what surrounds it. No framework here."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from parity.bugs.bug import Bug, Parts, Subject, part
from parity.pair import Pair

TOPIC = "attention"


def _pair(parts: Parts) -> Pair:
    return Pair(
        name="attention",
        reference=_reference,
        port=partial(_port, parts),
        inputs=_sentences,
        targets=_targets,
        reference_loss=_reference_loss,
        port_loss=_port_loss,
    )


def _reference(seed: int) -> Any:
    from parity.bugs.attention.reference import Network

    return Network()


def _port(parts: Parts, seed: int) -> Any:
    from flax import nnx

    from parity.bugs.attention.port import Network

    return Network(nnx.Rngs(seed), {name: part(TOPIC, spec) for name, spec in parts.items()})


def _sentences(generator: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Tokens (n, 6), and where padding follows them (n, 6): after 2 to 5 tokens."""
    lengths = generator.integers(2, 6, size=n)
    return generator.integers(11, size=(n, 6)), np.arange(6) >= lengths[:, None]


def _targets(generator: np.random.Generator, n: int) -> np.ndarray:
    """Tokens (n, 6)."""
    return generator.integers(11, size=(n, 6))


def _reference_loss(logits: Any, targets: Any) -> Any:
    from torch.nn.functional import cross_entropy

    return cross_entropy(logits.flatten(0, 1), targets.flatten())


def _port_loss(logits: Any, targets: Any) -> Any:
    import optax

    return optax.softmax_cross_entropy_with_integer_labels(logits, targets).mean()


SUBJECT = Subject(
    name="attention",
    topic=TOPIC,
    parts={
        "embedding": "embedding",
        "split": "split",
        "scores": "scores",
        "mask": "shut_out",
        "drop": "drop",
        "to_tokens": "tied_output",
    },
    pair=_pair,
)

SUBJECTS = (SUBJECT,)

_TORCH = "https://docs.pytorch.org/docs/stable/generated/torch.nn"
_FLAX = "https://flax.readthedocs.io/en/latest/api_reference/flax.nnx/nn"
_ATTENTION = f"[torch.nn.MultiheadAttention]({_TORCH}.MultiheadAttention.html)"
_FLAX_ATTENTION = f"[flax.nnx attention]({_FLAX}/attention.html)"
_DROPOUT = f"[flax.nnx.Dropout]({_FLAX}/stochastic.html)"

_bug = partial(Bug, subject=SUBJECT)

BUGS = (
    _bug(
        row=4,
        name="embedding-std",
        title="Leave an embedding's initialisation at Flax's default",
        symptom="Flax draws with a standard deviation of 1/sqrt(features), PyTorch with 1. A port "
        "that starts by itself has embeddings that position encodings drown.",
        source=f"[torch.nn.Embedding]({_TORCH}.Embedding.html): N(0, 1); "
        f"[flax.nnx.Embed]({_FLAX}/linear.html): variance scaling over the features",
        part="embedding",
        wrong="embedding_default",
        stage="init",
        layer="embedding",
    ),
    _bug(
        row=33,
        name="in-proj-split-within-heads",
        title="Split a packed in_proj within each head instead of before the heads",
        symptom="PyTorch packs all queries, then all keys, then all values; other models pack the "
        "three of each head together. Every shape fits, and only copied weights are wrong.",
        source=f"{_ATTENTION}: in_proj_weight",
        part="split",
        wrong="split_within_heads",
        stage="forward",
        layer="attention",
    ),
    _bug(
        row=34,
        name="attention-scale",
        title="Scale attention by all features instead of those of a head",
        symptom="The softmax is too flat by sqrt(heads). Trained from scratch the model adapts; "
        "with copied weights its outputs are near the reference's, and not equal.",
        source=f"{_ATTENTION}: head_dim is embed_dim // num_heads; "
        "[torch.nn.functional.scaled_dot_product_attention](https://docs.pytorch.org/docs/stable/"
        "generated/torch.nn.functional.scaled_dot_product_attention.html)",
        part="scores",
        wrong="scores_by_all_features",
        stage="forward",
        layer="attention",
    ),
    _bug(
        row=34,
        name="mask-inverted",
        title="Read PyTorch's padding mask as a mask of what to attend to",
        symptom="In nn.MultiheadAttention True shuts out, in Flax True attends. Attention goes to "
        "the padding; without padding in a batch everything comes out as NaN.",
        source=f"{_ATTENTION}: key_padding_mask; {_FLAX_ATTENTION}: mask",
        part="mask",
        wrong="shut_out_the_rest",
        stage="forward",
        layer="attention",
    ),
    _bug(
        row=59,
        name="dropout-in-eval",
        title="Leave dropout on in evaluation",
        symptom="Evaluations are noisy and some points too low, as of a model that trained worse.",
        source=f"{_DROPOUT}: deterministic; [torch.nn.Dropout]({_TORCH}.Dropout.html)",
        part="drop",
        wrong="drop_always",
        # The catalogue's stage is eval, after training; each layer's eval pass comes before.
        stage="forward",
        layer="dropout",
        words="eval mode",
    ),
    _bug(
        row=59,
        name="dropout-mask-reused",
        title="Give dropout the same random key at every step",
        symptom="Training runs and overfits: the same units are dropped for ever, so it is a "
        "smaller network instead of many.",
        source=f"{_DROPOUT}: rngs; [JAX: random numbers](https://docs.jax.dev/en/latest/"
        "random-numbers.html)",
        part="drop",
        wrong="drop_with_fixed_key",
        # The harness draws the masks of both sides; what a layer draws itself is a self-check.
        stage="self-checks",
        words="dropout: the same mask",
    ),
    _bug(
        row=61,
        name="tied-on-one-side",
        title="Copy the embedding into the output layer where the reference ties the two",
        symptom="Copied weights agree at first, because the copies are equal. From the first step "
        "on they learn apart, and the port has more parameters.",
        source="[pytorch/examples: word_language_model](https://github.com/pytorch/examples/blob/"
        "main/word_language_model/model.py), tie_weights",
        part="to_tokens",
        wrong="copied_output",
        stage="weights",
        layer="to_tokens",
        hinted=False,
    ),
)
