"""What to play when: a recording's operations at their arrival times, and templates in the world's time."""
