import numpy as np

from experiment.cifar10.random_integers import RandomIntegers


def test_a_stream_repeats_and_differs_from_others():
    first = RandomIntegers(1, 2).below(1000, 50)
    np.testing.assert_array_equal(first, RandomIntegers(1, 2).below(1000, 50))
    assert not np.array_equal(first, RandomIntegers(1, 3).below(1000, 50))


def test_integers_fill_their_range_evenly():
    drawn = RandomIntegers(5).between(-3, 4, 80_000)
    assert drawn.dtype == np.int16
    values, counts = np.unique(drawn, return_counts=True)
    assert values.tolist() == list(range(-3, 5))
    assert abs(counts - 10_000).max() < 500


def test_bytes_are_the_raw_words_in_little_endian_order():
    words = np.random.PCG64([9]).random_raw(4)
    expected = b"".join(int(word).to_bytes(8, "little") for word in words)
    assert RandomIntegers(9).bytes(2, 16).tobytes() == expected


def test_a_permutation_holds_every_number_once():
    order = RandomIntegers(3).permutation(1000)
    assert sorted(order.tolist()) == list(range(1000))
    assert not np.array_equal(order, np.arange(1000))
