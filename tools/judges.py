"""Trains the judges that the package brings: `make judges`. MNIST must be in the data root."""

import torch

from course_lib.classification import train_judge
from tools.files import ROOT


def main() -> None:
    """Trains each on one CPU thread, so that the numbers can be had again, and prints what it reached."""
    torch.set_num_threads(1)
    for name in ("glyphs", "mnist"):
        path = ROOT / "course_lib" / "classification" / "judges" / f"{name}.safetensors"
        judge = train_judge(name, path=path, device="cpu")
        accuracy, seconds = judge.metrics["test_accuracy"], judge.metrics["seconds"]
        print(f"{name}: {accuracy:.2%} of the test set after {seconds:.0f} s; {path.stat().st_size / 2**10:.0f} KiB")


if __name__ == "__main__":
    main()
