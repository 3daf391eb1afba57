import time

import numpy as np

from experiment.cifar10 import Arrays, synthetic
from experiment.cifar10.pictures import fingerprint_of


def test_it_has_the_shape_of_cifar10(stand_in: Arrays):
    assert stand_in.train_images.shape == (50_000, 32, 32, 3)
    assert stand_in.test_images.shape == (10_000, 32, 32, 3)
    assert {array.dtype for array in stand_in.named().values()} == {np.dtype(np.uint8)}


def test_it_is_the_same_on_every_machine(stand_in: Arrays):
    """A change of this is a new `synthetic.VERSION`."""
    assert fingerprint_of(stand_in) == (
        "d5314da2235c4b8d2471445e661851415bd26c560253a5c236704bd6b24e4307"
    )


def test_it_is_made_in_less_than_5_seconds():
    """Of two processors' time, which does not depend on what else the machine does."""
    started = time.process_time()
    synthetic.generate()
    assert time.process_time() - started < 2 * 5


def test_classes_are_balanced_and_shuffled(stand_in: Arrays):
    assert np.bincount(stand_in.train_labels).tolist() == [5_000] * 10
    assert np.bincount(stand_in.test_labels).tolist() == [1_000] * 10
    repeats = np.mean(stand_in.train_labels[1:] == stand_in.train_labels[:-1])
    assert 0.09 < repeats < 0.11


def test_no_picture_occurs_twice(stand_in: Arrays):
    rows = np.concatenate([stand_in.train_images, stand_in.test_images]).reshape(60_000, -1)
    assert len({hash(row.tobytes()) for row in rows}) > 59_900  # a few are wholly white or black


def test_some_pictures_have_flat_white_or_black_areas(stand_in: Arrays):
    for level in (0, 255):
        share = (stand_in.test_images == level).all(axis=3).mean(axis=(1, 2))
        assert 0.01 < np.mean(share > 0.25) < 0.2


def accuracy_of_nearest_mean(train: np.ndarray, test: np.ndarray, data: Arrays) -> float:
    means = np.stack([train[data.train_labels == label].mean(axis=0) for label in range(10)])
    distances = ((test[:, None] - means) ** 2).sum(axis=2)
    return float(np.mean(distances.argmin(axis=1) == data.test_labels))


def test_the_mean_colour_says_little_about_the_class(stand_in: Arrays):
    train = stand_in.train_images.mean(axis=(1, 2))
    test = stand_in.test_images.mean(axis=(1, 2))
    assert 0.12 < accuracy_of_nearest_mean(train, test, stand_in) < 0.25


def test_small_pictures_without_detail_do_not_give_the_class_away(stand_in: Arrays):
    def coarse(images: np.ndarray) -> np.ndarray:
        return images.reshape(-1, 4, 8, 4, 8, 3).mean(axis=(2, 4)).reshape(-1, 48)

    train, test = coarse(stand_in.train_images), coarse(stand_in.test_images)
    assert 0.15 < accuracy_of_nearest_mean(train, test, stand_in) < 0.4
