"""What Dify sends: bytes to JSON values to pydantic models. Knows no other room."""
