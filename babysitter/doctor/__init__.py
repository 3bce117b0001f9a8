"""Looks at a run, or at the whole installation, and says in plain words what is wrong and what cures it."""
