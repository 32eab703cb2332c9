"""Only its presence in sys.modules matters."""
