"""Who may come in: hosts, passwords, sessions, headers."""
