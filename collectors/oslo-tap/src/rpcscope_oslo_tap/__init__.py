"""A tap inside a service: an oslo.messaging driver that wraps the real one and tells rpcscope what it does.

    transport_url = rpcscope+rabbit://...        and in the environment RPCSCOPE_TAP=unix:/run/rpcscope/tap.sock

    driver.py    oslo.messaging asks for a driver: the real one, with hooks where its private parts are as expected
    amqp.py, fake.py   the hooks
    told.py      what is told of one side of one RPC
    tap.py       what the hooks call: it never raises and never waits
    sender.py    the one thread that writes lines to the recorder
    carry.py     apart from all this, and only where it is asked for: keeps the service's own traces whole

Nothing here imports eventlet or futurist, and no thread starts before there is something to tell.
"""
