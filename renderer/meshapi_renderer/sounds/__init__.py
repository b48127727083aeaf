"""The sounds beds are mixed from; each maker takes a random stream and a plan and returns a layer."""
