"""Runs the command line as `python -m textrnn`."""

from textrnn.cli.main import main

if __name__ == "__main__":
    main()
