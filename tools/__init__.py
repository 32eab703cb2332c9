"""Commands for those who maintain the course: `python -m tools.NAME`, each behind a target of the Makefile."""
