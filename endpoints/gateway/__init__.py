"""What Dify's built-in Langfuse tracing, Langfuse's SDKs and OpenTelemetry exporters ask of a Langfuse server."""
