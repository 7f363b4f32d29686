"""letta-client 0.1.324: each of its methods, whatever the resource, is called once with what it needs; see method_walk."""

import method_walk
import pytest

METHODS = [name for name, _ in method_walk.methods(method_walk.client_of("http://127.0.0.1:1"))]


@pytest.mark.parametrize("name", METHODS)
def test_the_method_is_there(walked, mcp_url, name):
    method_walk.check(walked, 1, name, mcp_url)
