"""Prints what `make test-colab` installs: what the course meets in Colab, in the versions that Colab has where they are known."""

import json

from tools.files import ROOT


def main() -> None:
    """One requirement on each line, for pip."""
    known = json.loads((ROOT / "tests" / "repository" / "colab_packages.json").read_text(encoding="utf-8"))
    print("\n".join(f"{name}=={version}" if version else name for name, version in known["packages"].items()))


if __name__ == "__main__":
    main()
