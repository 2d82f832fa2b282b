"""Business calendars: when work is done, and what a deadline in working time means."""
