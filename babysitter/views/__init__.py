"""What a person sees: the live tree, plain lines, tables, the summary."""
