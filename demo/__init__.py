"""A Langfuse stand-in, Dify's side of the plugin runtime, and a sender. For demo and tests; not packaged."""
