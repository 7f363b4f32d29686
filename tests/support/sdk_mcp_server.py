"""A server made with the official Python SDK: `sdk_mcp_server.py <stdio|sse|streamable-http> [port] [json] [stateless] [pictures]`."""

import base64
import sys

from mcp.server.mcpserver import Image, MCPServer
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


PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==")


def pixel() -> Image:
    """A picture of one pixel."""
    return Image(data=PIXEL, format="png")


def described() -> list:
    """A picture between words."""
    return ["Here it is:", Image(data=PIXEL, format="png"), "One pixel."]


if __name__ == "__main__":
    if "pictures" in sys.argv:
        server.add_tool(pixel)
        server.add_tool(described)
    options = {"json_response": "json" in sys.argv, "stateless_http": "stateless" in sys.argv} if sys.argv[1] == "streamable-http" else {}
    place = {} if sys.argv[1] == "stdio" else {"host": "127.0.0.1", "port": int(sys.argv[2])}
    server.run(sys.argv[1], **place, **options)
