"""What every test and every notebook under test runs under: one thread a process (files run side by side), no progress bars."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TQDM_DISABLE", "1")
