"""Things and creatures drawn into a scene: lit by it, hazed by it, standing on its ground or water."""
