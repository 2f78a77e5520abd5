"""The command `cdb`: words in, one library call, words out."""
