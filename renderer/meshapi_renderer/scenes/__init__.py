"""The sixteen settings; each module exports one ``build(plan, canvas, timing, rng) -> Scene``."""
