"""Turns arguments, environment and files into frozen settings; no other place reads the environment.

    arguments  >  environment  >  profile of ~/.config/connectomedb/config.toml  >  netrc, keyring, ~/.aws

    default = "lab"                        # profile used when none is named

    [profiles.lab]
    server = "https://db.example.org"
    user = "me"                            # or: alias = "...", for an alias token
    password = "..."                       #     secret = "..."

    [profiles.lab.s3]                      # or: aws_profile = "...", one of ~/.aws
    access_key = "..."                     # also: session_token, region, endpoint_url, anonymous = true
    secret_key = "..."

`CONNECTOMEDB_CONFIG` names another file, `CONNECTOMEDB_PROFILE` another profile. Credentials belong to the
server they were given for: those beside `XNAT_HOST` or a profile's `server` are never offered to another host.
"""
