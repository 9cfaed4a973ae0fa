"""``python -m byteformer``: the program."""

from ._program import main

main()
