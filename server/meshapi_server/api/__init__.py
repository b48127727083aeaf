"""HTTP only: parse, one call into the other rooms, encode. One file per resource."""
