"""Rewrite a file and flush it, again and again, until killed: write_heavily.py FILE MEGABYTES."""

import os
import sys

BLOCK = os.urandom(1 << 20)

descriptor = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT, 0o600)
while True:
    for number in range(int(sys.argv[2])):
        os.pwrite(descriptor, BLOCK, number << 20)
    sys.stdout.write("written\n")
    sys.stdout.flush()
    os.fsync(descriptor)
