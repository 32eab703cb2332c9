"""Trains the VAEs that the package brings: `make autoencoders`. MNIST must be in the data root."""

import argparse
import time

import torch

from course_lib.vae import train_vae
from tools.files import ROOT


def main() -> None:
    """Trains each on one CPU thread, so that the numbers can be had again, and prints what it reached."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=["glyphs", "mnist"])
    torch.set_num_threads(1)
    for name in parser.parse_args().names:
        path = ROOT / "course_lib" / "vae" / "trained" / f"{name}.safetensors"
        start = time.process_time()
        metrics = train_vae(name, path=path, device="cpu").metrics
        nats = f"-ELBO {-metrics['test_elbo']:.2f} nats, -bound with K = {metrics['samples']} {-metrics['test_bound']:.2f}"
        print(
            f"{name}: {nats} after {time.process_time() - start:.0f} core-seconds in all; {path.stat().st_size / 2**10:.0f} KiB"
        )


if __name__ == "__main__":
    main()
