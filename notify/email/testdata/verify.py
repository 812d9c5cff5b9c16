# Checks the DKIM signatures of each file in a folder, by their names, with dkimpy,
# and prints a line for each: one word for each signature.
# Arguments: the folder, and name=record for each key in DNS.
import pathlib
import sys

import dkim

records = dict(a.split("=", 1) for a in sys.argv[2:])


def lookup(name, timeout=5):
    return records.get(name.decode().rstrip("."), "").encode()


def verdict(message, i):
    try:
        return "good" if dkim.DKIM(message).verify(idx=i, dnsfunc=lookup) else "bad"
    except dkim.DKIMException:
        return "bad"


for file in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    message = file.read_bytes()
    signatures = message.lower().count(b"dkim-signature:")
    print(*(verdict(message, i) for i in range(signatures)))
