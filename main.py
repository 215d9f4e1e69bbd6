"""The plugin process that Dify's daemon starts. `dify_plugin` must come first: it makes sockets cooperative."""

from dify_plugin import DifyPluginEnv, Plugin

plugin = Plugin(DifyPluginEnv(MAX_REQUEST_TIMEOUT=60))

if __name__ == "__main__":
    plugin.run()
