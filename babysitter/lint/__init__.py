"""What in the source of a process would break its replay, found without running any of it."""
