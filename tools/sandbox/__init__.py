"""Runs what others wrote apart from the grader: `host` starts it, `inside` runs there, `plain` is what the two exchange."""
