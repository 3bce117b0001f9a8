"""The floor of writing durably: so many small files, and one flush for all: flush_files.py FOLDER COUNT."""

import os
import sys

folder, count = sys.argv[1], int(sys.argv[2])
os.mkdir(folder)
for number in range(count):
    descriptor = os.open(os.path.join(folder, str(number)), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    os.write(descriptor, b"x" * 400)
    os.close(descriptor)
os.sync()
