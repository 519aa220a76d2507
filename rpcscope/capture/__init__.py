"""Capture files: read, scrubbed and written.

raw.py own.py         the two formats, a line each
reader.py             CaptureReader, for both
"""

from rpcscope.capture.reader import CaptureReader

__all__ = ["CaptureReader"]
