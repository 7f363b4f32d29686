"""Given to an interpreter as text: prepares the process of a command inside its sandbox, then the command takes its place.
Arguments: what to prepare, as one JSON object (launcher.cpp), and the command with its arguments.

    {"entrance": descriptor of a control group's entrance, or -1; "control": descriptor by which the way out is handed over;
     "port": where it is in this network, or 0; "resigns": become a user that nothing else has, if this one is root;
     "limits": {"RLIMIT_...": most}}
"""
import json
import os
import resource
import socket
import sys

wanted = json.loads(sys.argv[1])
command = sys.argv[2:]
if wanted["entrance"] >= 0:
    try:
        os.write(wanted["entrance"], b"0")
    except OSError as failure:
        sys.exit(f"the control group takes no process: {failure.strerror}")
    os.close(wanted["entrance"])
if wanted["port"]:
    with socket.socket() as listener, socket.socket(fileno=wanted["control"]) as server:
        listener.bind(("127.0.0.1", wanted["port"]))
        listener.listen(128)
        socket.send_fds(server, [b"L"], [listener.fileno()])
if wanted["resigns"] and os.getuid() == 0:  # root is exempt from the limit of processes
    for user in (1_400_000_000 + int.from_bytes(os.urandom(3), "big"), 61_000 + os.urandom(1)[0]):
        try:
            os.setgroups([])
            os.setresgid(user, user, user)
            os.setresuid(user, user, user)
            break
        except OSError:
            continue
    else:
        sys.exit("no other user id can be taken")
for name, most in wanted["limits"].items():
    kind = getattr(resource, name)
    allowed = resource.getrlimit(kind)[1]
    most = most if allowed == resource.RLIM_INFINITY else min(most, allowed)
    resource.setrlimit(kind, (most, most))
try:
    os.execvp(command[0], command)
except OSError as failure:
    sys.exit(f"{command[0]}: {failure.strerror}")
