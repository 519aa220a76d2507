"""What is known of OpenStack's methods, as data: kinds, ends, hosts, expected failures, facts.

The shipped files (nova.toml, neutron.toml, cinder.toml) hold what was read in the services' source
and seen on the wire; a user's own file is read after them and its entries come first.
"""

from rpcscope.rules.load import load_rules
from rpcscope.rules.rules import Kind, Match, Rules

__all__ = ["Kind", "Match", "Rules", "load_rules"]
