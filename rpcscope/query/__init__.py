"""Answers from the store: operations, calls, trees, costs. What the CLI prints and the web shows."""
