"""Bugs in Adam, AdamW, RMSprop and Adagrad. No framework here."""

from __future__ import annotations

from functools import partial

from parity.bugs.bug import Bug
from parity.bugs.optimizers.small_pair import subject

TOPIC = "adaptive"

SMALL = 1e-3
"""Makes gradients of 1e-4, at which it matters where an eps of 1e-8 stands."""

ADAM = subject("adam", TOPIC, "adam", "adam_with_l2")
ADAMW = subject("adamw", TOPIC, "adamw", "adamw", weight=SMALL)
RMSPROP = subject("rmsprop", TOPIC, "rmsprop", "rmsprop", weight=SMALL)
ADAGRAD = subject("adagrad", TOPIC, "adagrad", "adagrad")

SUBJECTS = (ADAM, ADAMW, RMSPROP, ADAGRAD)

_TORCH = "https://docs.pytorch.org/docs/stable/generated/torch.optim"
_ADAM = f"[torch.optim.Adam]({_TORCH}.Adam.html)"
_ADAMW = f"[torch.optim.AdamW]({_TORCH}.AdamW.html)"
_OPTAX = "[Optax's optimizers](https://optax.readthedocs.io/en/latest/api/optimizers.html)"

_at_1 = partial(Bug, part="optimizer", stage="update", words="step 1")

BUGS = (
    _at_1(
        row=47,
        name="adamw-for-adam",
        title="Take AdamW for Adam with weight decay",
        symptom="Adam adds the decay to the gradient and divides it away with it; AdamW does not. "
        "Weights end smaller.",
        source=f"{_ADAM}; {_ADAMW}",
        subject=ADAM,
        wrong="adamw_for_adam",
    ),
    _at_1(
        row=47,
        name="adamw-default-decay",
        title="Rely on AdamW's default decay: 1e-4 in Optax, 1e-2 in PyTorch",
        symptom="The port hardly decays at all; it overfits a little more after many epochs.",
        source=f"{_ADAMW}; {_OPTAX}, adamw",
        subject=ADAMW,
        wrong="adamw_by_default",
    ),
    _at_1(
        row=48,
        name="adam-eps-root",
        title="Pass PyTorch's eps as eps_root, which stands inside the square root",
        symptom="Where gradients are much larger than 1e-4 nothing changes. Where they are smaller "
        "steps shrink, so late training and rarely used embeddings stall.",
        source=f"{_ADAM}; {_OPTAX}, adam: eps_root",
        subject=ADAMW,
        wrong="adamw_eps_root",
    ),
    _at_1(
        row=49,
        name="rmsprop-default-decay",
        title="Rely on RMSprop's default decay: 0.9 in Optax, 0.99 in PyTorch",
        symptom="The first steps are 3 times too short, as the average starts at 0; later ones "
        "follow another horizon. It trains all the same.",
        source="[optax#532](https://github.com/google-deepmind/optax/issues/532)",
        subject=RMSPROP,
        wrong="rmsprop_default_decay",
    ),
    _at_1(
        row=49,
        name="rmsprop-eps-in-root",
        title="Leave RMSprop's eps inside the square root",
        symptom="An eps of 1e-8 inside counts as 1e-4 outside: small gradients get small steps.",
        source="[optax#532](https://github.com/google-deepmind/optax/issues/532), "
        "[pytorch#23796](https://github.com/pytorch/pytorch/issues/23796)",
        subject=RMSPROP,
        wrong="rmsprop_eps_in_root",
    ),
    _at_1(
        row=49,
        name="adagrad-initial-accumulator",
        title="Rely on Adagrad's first accumulator: 0.1 in Optax, 0 in PyTorch",
        symptom="Early steps are far too short, as if the optimizer warmed up; whoever tunes the "
        "learning rate for that has another optimizer.",
        source=f"[torch.optim.Adagrad]({_TORCH}.Adagrad.html); {_OPTAX}, adagrad",
        subject=ADAGRAD,
        wrong="adagrad_by_default",
    ),
)
