"""The floor of verifying: read every file in a folder and do nothing with it: read_files.py FOLDER."""

import os
import sys

folder = os.open(sys.argv[1], os.O_RDONLY)
for name in sorted(os.listdir(folder)):
    descriptor = os.open(name, os.O_RDONLY, dir_fd=folder)
    os.read(descriptor, 1 << 20)
    os.close(descriptor)
