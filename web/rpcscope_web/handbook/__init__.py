"""The handbook: a reference page for each kind of operation and release, as Markdown with pictures."""

from rpcscope_web.handbook.book import handbook

__all__ = ["handbook"]
