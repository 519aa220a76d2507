"""The taps: each connects to one source and hands Observations on."""
