"""A server made with the official Python SDK: `sdk_mcp_server.py <stdio|sse|streamable-http> [port] [json] [stateless]`."""

import sys

from mcp.server.mcpserver import MCPServer
from pydantic import BaseModel


class Address(BaseModel):
    city: str
    zip: str | None = None


class Person(BaseModel):
    name: str
    age: int = 0
    address: Address


server = MCPServer("sdk")


@server.tool()
def echo(message: str) -> str:
    """Says it again."""
    return f"Echo: {message}"


@server.tool()
def add(a: float, b: float) -> str:
    """Adds two numbers."""
    return f"Result: {a + b}"


@server.tool()
def greet(person: Person) -> str:
    """Greets a person."""
    return f"{person.name} of {person.address.city}"


@server.tool()
def fails() -> str:
    """Always fails."""
    raise ValueError("it went wrong")


if __name__ == "__main__":
    options = {"json_response": "json" in sys.argv, "stateless_http": "stateless" in sys.argv} if sys.argv[1] == "streamable-http" else {}
    place = {} if sys.argv[1] == "stdio" else {"host": "127.0.0.1", "port": int(sys.argv[2])}
    server.run(sys.argv[1], **place, **options)
