"""What only people may do: answer breakpoints, and permit what goes round a process."""
