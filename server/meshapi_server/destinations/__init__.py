"""Where the server may call: callbacks of tenants, and the inputs that they name."""
