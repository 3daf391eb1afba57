import hashlib
import subprocess
import sys

import numpy as np
import pytest

from experiment.cifar10 import CLASSES, Arrays, Cifar10, DataError, LimitError, pictures
from experiment.errors import UserError


@pytest.fixture
def data(expected: Arrays) -> Cifar10:
    return Cifar10(
        **expected.named(),
        spec="a test",
        source="a test",
        fingerprint="f" * 64,
        official=False,
        synthetic=False,
        notice=None,
    )


def test_classes_are_the_ten_of_the_archive_in_label_order():
    assert len(CLASSES) == 10
    assert (CLASSES[0], CLASSES[3], CLASSES[9]) == ("airplane", "cat", "truck")


def test_every_error_is_for_the_user():
    assert issubclass(DataError, UserError)


def test_limited_keeps_the_first_pictures_of_each_split(data: Cifar10):
    limited = data.limited(train=4, test=2)
    np.testing.assert_array_equal(limited.train_images, data.train_images[:4])
    np.testing.assert_array_equal(limited.train_labels, data.train_labels[:4])
    np.testing.assert_array_equal(limited.test_images, data.test_images[:2])
    np.testing.assert_array_equal(limited.test_labels, data.test_labels[:2])


def test_limited_says_which_full_data_it_was_cut_from(data: Cifar10):
    assert data.limited(train=1, test=1).fingerprint == data.fingerprint


def test_no_limit_keeps_all(data: Cifar10):
    assert len(data.limited(None, None).train_labels) == 15
    assert len(data.limited(15, 3).test_labels) == 3


@pytest.mark.parametrize("limit", [0, -5, 16])
def test_a_train_limit_below_1_or_beyond_the_data_is_refused(data: Cifar10, limit: int):
    with pytest.raises(LimitError, match=rf"--train-limit {limit}: the data hold 15 training"):
        data.limited(train=limit, test=None)


@pytest.mark.parametrize("limit", [0, 4])
def test_a_test_limit_below_1_or_beyond_the_data_is_refused(data: Cifar10, limit: int):
    with pytest.raises(LimitError, match=rf"--test-limit {limit}: the data hold 3 test"):
        data.limited(train=None, test=limit)


def test_fingerprint_is_the_sha256_of_shapes_and_bytes(expected: Arrays):
    text = (
        b"train_images uint8 15x32x32x3\n" + expected.train_images.tobytes()
        + b"train_labels uint8 15\n" + expected.train_labels.tobytes()
        + b"test_images uint8 3x32x32x3\n" + expected.test_images.tobytes()
        + b"test_labels uint8 3\n" + expected.test_labels.tobytes()
    )  # fmt: skip
    assert pictures.fingerprint_of(expected) == hashlib.sha256(text).hexdigest()


def test_one_changed_pixel_changes_the_fingerprint(expected: Arrays):
    images = expected.test_images.copy()
    images[2, 31, 31, 2] ^= 1
    changed = Arrays(expected.train_images, expected.train_labels, images, expected.test_labels)
    assert pictures.fingerprint_of(changed) != pictures.fingerprint_of(expected)


def test_importing_the_loader_imports_no_framework():
    heavy = "torch jax torchvision tensorflow tensorflow_datasets array_record PIL rich matplotlib"
    program = (
        "import sys, experiment.cifar10\n"
        f"print([name for name in {heavy.split()} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")
