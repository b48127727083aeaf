"""What scenes are made of: sky, clouds, water, terrain, trees, things that fall."""
