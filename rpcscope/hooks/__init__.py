"""What a flow does outside of its emulated world, when a user asks for it: commands, and messages to a webhook."""
