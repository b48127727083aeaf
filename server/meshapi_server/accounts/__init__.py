"""Who may call: keys and their owners."""
