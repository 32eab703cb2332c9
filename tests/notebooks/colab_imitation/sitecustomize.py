"""Makes a Python look like Colab's to the set-up cell: there, google.colab is loaded before the first cell runs."""

import google.colab  # noqa: F401
