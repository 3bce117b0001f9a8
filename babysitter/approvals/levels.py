"""The levels of assurance, for those who record approvals."""

from babysitter.runs.assurance import LEVELS, is_enough, minimum_of, shown_digest, ways_to_answer

__all__ = ["LEVELS", "is_enough", "minimum_of", "shown_digest", "ways_to_answer"]
