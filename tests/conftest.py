"""Fixtures that every test may use."""

pytest_plugins = ["tests.support.rabbitmq", "tests.support.queues"]
