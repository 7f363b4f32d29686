"""`client`: what a tool's source finds under that name, made before the source is run.

With LETTA_API_KEY in its environment a tool speaks to wherever LETTA_BASE_URL says. Without, it speaks to the server that
calls it, over a Unix socket and so without any network, with a token that is worth nothing once the call has ended. Both
take the package letta-client, which the tool has to require (or the interpreter to hold); else the name is None.
"""
import os

ADDRESS_BYTES_MAX = 107  # of a Unix socket
HINT = "`client` is None: {why}"
NO_PACKAGE = "the package letta-client can't be imported here; add it to the tool's pip_requirements"
NOBODY = "the server gave this call no access to its API, and there is no LETTA_API_KEY"


def made(door):
    """The client and, if it is None, why. `door`: {"socket", "token"} of the server, or None."""
    key = os.environ.get("LETTA_API_KEY")
    if not key and not door:
        return None, NOBODY
    try:
        import letta_client
    except ImportError:
        return None, NO_PACKAGE
    except Exception as failure:  # it is there, and does not fit what it finds
        return None, f"the package letta-client can't be imported: {type(failure).__name__}: {failure}"
    url = os.environ.get("LETTA_BASE_URL")
    if key:
        return first_that_fits(letta_client.Letta, {"api_key": key}, {"token": key}, {"base_url": url} if url else {})
    import httpx

    http = httpx.Client(
        transport=httpx.HTTPTransport(uds=address_of(door["socket"])),
        timeout=None,  # the call has a limit of its own
        follow_redirects=True,
        trust_env=False,  # the proxy leads elsewhere
    )
    of_generation_2 = {"api_key": door["token"], "http_client": http}
    of_generation_1 = {"token": door["token"], "httpx_client": http}
    return first_that_fits(letta_client.Letta, of_generation_2, of_generation_1, {"base_url": "http://stele"})


def first_that_fits(make, new, old, more):
    for names in (new, old):  # the package's two generations
        try:
            return make(**names, **more), None
        except TypeError:
            continue
    return None, "this version of the package letta-client is not known"


def address_of(path):
    """A path that fits into an address: a folder may be named by its descriptor."""
    if len(os.fsencode(path)) <= ADDRESS_BYTES_MAX:
        return path
    folder = os.open(os.path.dirname(path), os.O_PATH | os.O_DIRECTORY)
    return f"/proc/self/fd/{folder}/{os.path.basename(path)}"


def hint(failure, module, why):
    """What to tell an author who has used `client` without asking whether it is there; else nothing."""
    missed = isinstance(failure, AttributeError) and getattr(failure, "obj", module) is None
    return HINT.format(why=why) if missed and why and module is not None and module.__dict__.get("client") is None else None
