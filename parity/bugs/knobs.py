"""The numbers whose smallest visible change is measured."""

from __future__ import annotations

from parity.bugs.sensitivity import Knob

FC1_WEIGHT = Knob("one weight of fc1 (CIFAR-10 network)", "cifar10_cnn", "copy", "fc1_weight_off")
LEARNING_RATE = Knob("SGD's learning rate", "sgd", "optimizer", "sgd_rate_off")

KNOBS = (
    FC1_WEIGHT,
    Knob("one weight of fc1 (small network)", "training", "copy", "dense_weight_off"),
    LEARNING_RATE,
    Knob("SGD's momentum", "sgd", "optimizer", "sgd_momentum_off"),
    Knob("SGD's weight decay", "sgd", "optimizer", "sgd_decay_off"),
    Knob("AdamW's eps", "adamw", "optimizer", "adamw_eps_off"),
    Knob("batch-norm's eps", "training", "norm", "norm_eps_off"),
    Knob("batch-norm's momentum", "training", "norm", "norm_momentum_off"),
)
