"""Fixtures that every test may use."""

import signal

pytest_plugins = ["tests.support.rabbitmq", "tests.support.queues"]

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # started in the background: what we start would ignore it, too
    signal.signal(signal.SIGINT, signal.default_int_handler)
