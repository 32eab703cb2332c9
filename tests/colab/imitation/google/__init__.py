"""Stands for the package of Google that only Colab has."""
