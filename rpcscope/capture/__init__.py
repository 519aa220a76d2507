"""Capture files: read, scrubbed and written.

raw.py own.py              the two formats, a line each
reader.py                  CaptureReader, for both: raw_file.py, own_file.py
scrub.py rebuilt.py        what is left out
pseudonyms.py keyfile.py   what is replaced
writer.py rewrite.py       CaptureWriter, and a capture made of a capture
"""

from rpcscope.capture.keyfile import load_key
from rpcscope.capture.own import Header
from rpcscope.capture.pseudonyms import Pseudonyms
from rpcscope.capture.reader import CaptureReader
from rpcscope.capture.rewrite import Scrubbed, scrub_file
from rpcscope.capture.scrub import Scrubber
from rpcscope.capture.writer import CaptureWriter

__all__ = ["CaptureReader", "CaptureWriter", "Header", "Pseudonyms", "Scrubbed", "Scrubber", "load_key", "scrub_file"]
