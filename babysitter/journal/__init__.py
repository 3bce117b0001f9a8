"""The journal of a run: the ordered, write-once record, one event per file."""
