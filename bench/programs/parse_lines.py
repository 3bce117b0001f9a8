"""The floor of reading a journal: parse each line as JSON and do nothing with it: parse_lines.py FILE."""

import json
import sys

with open(sys.argv[1], "rb") as file:
    for line in file:
        json.loads(line)
