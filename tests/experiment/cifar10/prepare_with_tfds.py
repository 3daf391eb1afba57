"""Prepares CIFAR-10 with tensorflow-datasets itself, from a small archive.

    python prepare_with_tfds.py ARCHIVE DATA_DIR FILE_FORMAT

A program of its own, so that TensorFlow stays out of the process of the tests.
"""

import sys
from pathlib import Path

import tensorflow_datasets as tfds
from tensorflow_datasets.core.download import checksums


def main(archive: Path, data_dir: Path, file_format: str) -> None:
    builder = tfds.builder("cifar10", data_dir=data_dir, file_format=file_format)
    # TFDS looks for the published archive: let it take this one for it.
    [url] = builder.url_infos
    builder.url_infos[url] = checksums.compute_url_info(archive)
    here = tfds.download.DownloadConfig(manual_dir=archive.parent)
    builder.download_and_prepare(download_config=here)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
