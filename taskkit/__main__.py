"""`python -m taskkit`, where the console script is not on the path."""

from taskkit.cli import main

main()
