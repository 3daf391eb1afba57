"""Bugs in SGD, its momentum and decay, and in gradients on their way to it. No framework here."""

from __future__ import annotations

from functools import partial

from parity.bridge.declarations import SLOT, Waiver
from parity.bugs.bug import Bug
from parity.bugs.optimizers.small_pair import subject

TOPIC = "optimizers"

_KEPT_RATE = Waiver(f"{SLOT}1/rate", "the port keeps the learning rate in its state")

SGD = subject("sgd", TOPIC, "sgd", "sgd")
NESTEROV = subject("nesterov", TOPIC, "nesterov", "nesterov", combine="mean_of_devices")
DAMPENED = subject("dampened", TOPIC, "dampened", "dampened")
SCHEDULED = subject("scheduled", TOPIC, "plain_momentum", "rate_set_before_the_step", _KEPT_RATE)
CLIPPED = subject("clipped", TOPIC, "clipped", "clipped")

SUBJECTS = (SGD, NESTEROV, DAMPENED, SCHEDULED, CLIPPED)

_SGD = "[torch.optim.SGD](https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html)"
_OPTAX = "[Optax's optimizers](https://optax.readthedocs.io/en/latest/api/optimizers.html)"

_bug = partial(Bug, part="optimizer", stage="update")
_at_1, _at_2 = (partial(_bug, words=f"step {step}") for step in (1, 2))

BUGS = (
    _at_1(
        row=41,
        name="weight-decay-missing",
        title="Leave out the weight decay, which is an argument in PyTorch and a link in Optax",
        symptom="A single step is wrong by 1e-5 to 1e-3 of itself; the loss falls as fast, or "
        "faster. Generalisation suffers after many epochs.",
        source=f"{_SGD}; {_OPTAX}",
        subject=SGD,
        wrong="sgd_without_decay",
        tags=("fast",),
    ),
    _bug(
        row=41,
        name="weight-decay-not-on-biases",
        title="Decay the matrices alone, where the reference decays biases and norms too",
        symptom="Good practice elsewhere, and so small a change that nothing shows it. PyTorch "
        "decays every parameter that it is given.",
        source=f"{_SGD}, weight_decay",
        subject=SGD,
        wrong="decay_of_matrices_alone",
        words="bias",
    ),
    _bug(
        row=42,
        name="weight-decay-after-momentum",
        title="Add the decay after momentum instead of to the gradient",
        symptom="The first step is right. From the second on the decay lacks its momentum: 10 "
        "times less of it in the long run.",
        source=f"{_SGD}: the decay is added before the buffer",
        subject=SGD,
        wrong="decay_after_momentum",
        # The buffer lacks the decay from the first step on; steps are wrong from the second.
        words="momentum_buffer",
    ),
    _at_1(
        row=43,
        name="weight-decay-without-rate",
        title="Take the decay's share of the weights whatever the learning rate",
        symptom="The decay is larger than meant by 1 / learning rate, and stays where a schedule "
        "lowers the rate: late in training the weights shrink.",
        source=f"{_SGD}; {_OPTAX}",
        subject=SGD,
        wrong="decay_without_rate",
    ),
    _bug(
        row=44,
        name="rate-inside-momentum",
        title="Multiply by the learning rate before momentum, as the original paper does",
        symptom="All steps agree until the learning rate changes: the old rate lives on in the "
        "buffer for some ten steps.",
        source=f"[pytorch#1099](https://github.com/pytorch/pytorch/issues/1099); {_SGD}, note",
        subject=SGD,
        wrong="rate_inside_momentum",
        # The buffer holds steps from the beginning; steps are wrong where the rate changes.
        words="momentum_buffer",
    ),
    _bug(
        row=45,
        name="schedule-off-by-one",
        title="Let a change of the learning rate come one step late",
        symptom="One step an epoch, or one in the whole training, is too long; then all goes on "
        "from slightly other weights.",
        source="[PyTorch: how to adjust the learning rate](https://docs.pytorch.org/docs/stable/"
        "optim.html#how-to-adjust-learning-rate)",
        subject=SCHEDULED,
        wrong="rate_set_after_the_step",
        words="the first with another learning rate",
    ),
    _at_1(
        row=46,
        name="averaged-momentum",
        title="Keep an average of the gradients where PyTorch keeps their sum",
        symptom="Steps are 10 times too short at momentum 0.9, which looks like a learning rate "
        "that is too low, and is often 'fixed' by raising it.",
        source="[optax.ema](https://optax.readthedocs.io/en/latest/api/transformations.html), "
        "which says how it differs from optax.trace",
        subject=SGD,
        wrong="averaged_gradients",
        tags=("fast",),
    ),
    _at_1(
        row=46,
        name="nesterov-dropped",
        title="Drop nesterov=True",
        symptom="Both converge, to the same place; curves differ by as much as two seeds do.",
        source=f"{_SGD}, nesterov; {_OPTAX}",
        subject=NESTEROV,
        wrong="plain_momentum",
    ),
    _at_2(
        row=46,
        name="dampening-ignored",
        title="Ignore dampening, for which Optax has no argument",
        symptom="The first step agrees, as PyTorch does not dampen it. Later ones are too long.",
        source=f"{_SGD}, dampening",
        subject=DAMPENED,
        wrong="plain_momentum",
    ),
    _at_1(
        row=50,
        name="clipping-on-one-side",
        title="Clip gradients in the reference alone",
        symptom="In PyTorch it is a line of the training loop and no part of the optimizer, so it "
        "is overlooked. Steps differ where the norm is above the limit: early, and at outliers.",
        source="[algorithmic-efficiency#809]"
        "(https://github.com/mlcommons/algorithmic-efficiency/issues/809)",
        subject=CLIPPED,
        wrong="plain_momentum",
    ),
    _at_1(
        row=51,
        name="gradients-summed-over-devices",
        title="Add up the devices' gradients where they should be averaged",
        symptom="On one device it is right. On eight, steps are eight times as long, which the "
        "linear scaling rule of learning rates hides or doubles.",
        source="[jax.lax.pmean](https://docs.jax.dev/en/latest/_autosummary/jax.lax.pmean.html)",
        subject=NESTEROV,
        part="combine",
        wrong="sum_of_devices",
    ),
)
