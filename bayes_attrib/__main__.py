"""Let ``python -m bayes_attrib`` be the command line."""

from bayes_attrib.cli import main

main()
