"""A complete package for a plugin, written from the templates that lie beside this."""
