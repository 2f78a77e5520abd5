"""`python -m connectomedb` is the command `cdb`."""

from connectomedb.cli.main import main

if __name__ == "__main__":
    main()
