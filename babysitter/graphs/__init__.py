"""The shape of a process, from dry runs with stub results and its source, or of a run, from its journal."""
