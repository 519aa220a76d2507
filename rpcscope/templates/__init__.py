"""What one operation of each kind does on the bus, learned from recordings, to be played again by the emulator."""
