"""The command line. The module of a command parses options, calls the library and prints."""
