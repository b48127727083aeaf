"""What several of the SDK's tests need."""
