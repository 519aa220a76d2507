"""Red flags: what is wrong or about to be, with evidence, why it matters and what to do.

`ask` reads the facts of a time once; each check is a pure function over them; `checks.CHECKS` has all of them.
"""

from rpcscope.doctor.ask import ask, ask_state
from rpcscope.doctor.checks import CHECKS, examine
from rpcscope.doctor.facts import Facts
from rpcscope.doctor.finding import Evidence, Level, RedFlag, Subject

__all__ = ["CHECKS", "Evidence", "Facts", "Level", "RedFlag", "Subject", "ask", "ask_state", "examine"]
