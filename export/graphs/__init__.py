"""The computations that exported files hold."""
