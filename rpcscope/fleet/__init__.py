"""The fleet file: hosts, servers on them, links and control plane of an emulated cloud."""
