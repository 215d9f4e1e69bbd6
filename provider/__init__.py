"""Langfuse, as this plugin sees it: settings, OTLP encoding, delivery, the account behind the keys."""

PLUGIN_NAME = "dify-langfuse-tracing"
"""How the plugin names itself to Langfuse."""

PLUGIN_VERSION = "0.1.0"
