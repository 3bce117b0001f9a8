"""`python -m babysitter`, and what the installed command calls."""

from __future__ import annotations

from babysitter.cli.main import main

if __name__ == "__main__":
    main()
