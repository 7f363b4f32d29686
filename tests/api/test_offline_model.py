"""A newcomer's first talk, with nothing configured: the offline model remembers, finds, forgets and calls tools."""

import json

import pytest

ALONE = {"OPENAI_API_KEY": "", "OPENAI_BASE_URL": "", "LETTA_DEFAULT_LLM_HANDLE": ""}
BLOCKS = [{"label": "persona", "value": "I am helpful."}, {"label": "human", "value": ""}]
SPEAKERS = ["letta_v1_agent", "memgpt_agent", "memgpt_v2_agent"]


@pytest.fixture
def newcomer(own_server):
    class Newcomer:
        def __init__(self):
            self.server = own_server(ALONE).start()
            self.http = self.server.http()

        def meet(self, kind: str = "letta_v1_agent", **more):
            self.agent = self.http.post("/v1/agents", {"agent_type": kind, "memory_blocks": BLOCKS, **more})
            return self

        def hears(self, text: str) -> str:
            self.answer = self.http.post(f"/v1/agents/{self.agent['id']}/messages", {"input": text})
            assert self.answer["stop_reason"]["stop_reason"] == "end_turn"
            return self.answer["messages"][-1]["content"]

        def calls(self) -> list:
            made = [m["tool_call"] for m in self.answer["messages"] if m["message_type"] == "tool_call_message"]
            return [(call["name"], json.loads(call["arguments"])) for call in made]

        def memory(self) -> str:
            return self.http.get(f"/v1/agents/{self.agent['id']}/core-memory/blocks/human")["value"]

    return Newcomer()


@pytest.mark.parametrize("kind", SPEAKERS)
def test_a_first_talk(newcomer, kind):
    newcomer.meet(kind)
    assert "not a language model" in newcomer.hears("Hello!")
    newcomer.hears("Hi, I'm Grace and I live in Zürich.")
    assert "Grace" in newcomer.memory()
    assert newcomer.hears("What's my name?") == "Your name is Grace."
    assert "Zürich" in newcomer.hears("Where do I live?")
    newcomer.hears("My favourite colour is green")
    assert "green" in newcomer.hears("what is my favorite color")
    newcomer.hears("Please remember that my sister is called Ada.")
    newcomer.hears("I don't like coffee")
    assert "don't like coffee" in newcomer.hears("Do I like coffee?")
    assert "Grace" in newcomer.hears("Thanks!")
    newcomer.hears("My name is actually Hopper.")
    assert "Hopper" in newcomer.hears("what is my name")

    newcomer.server.kill()
    newcomer.server.start()
    assert newcomer.hears("Hi").startswith("Hello, Hopper!")
    assert "Ada" in newcomer.hears("Do you remember my sister's name?")
    everything = newcomer.hears("What do you know about me?")
    assert all(word in everything for word in ("Hopper", "green", "Ada", "coffee", "Zürich"))
    assert "forgotten" in newcomer.hears("Forget that my favourite colour is green")
    assert "green" not in newcomer.memory() and "Ada" in newcomer.memory()
    assert "nothing to forget" in newcomer.hears("Forget my shoe size")
    assert "Hopper" in newcomer.hears("Goodbye")


def test_it_is_honest(newcomer):
    newcomer.meet()
    for question in ("Who are you?", "What is your name?", "Are you an AI?", "What can you do?"):
        assert "not a language model" in newcomer.hears(question)
    for question in ("What is 2+2?", "Tell me a joke", "What time is it?", "Why is the sky blue?"):
        assert "I know only what I am told" in newcomer.hears(question)
    assert "simple English" in newcomer.hears("Bonjour, je m'appelle Luc") and newcomer.memory() == ""
    assert "nothing yet" in newcomer.hears("What do you know about me?").lower()


@pytest.mark.parametrize("kind", SPEAKERS)
@pytest.mark.parametrize("text, arguments", [
    ('call conversation_search with {"query": "tea", "limit": 2}', {"query": "tea", "limit": 2}),
    ("Use conversation_search to find tea", {"query": "tea"}),
    ("Can you call the tool conversation_search with query=tea and limit=2?", {"query": "tea", "limit": 2}),
    ("Please search our conversation for tea", {"query": "tea"}), ("search for tea", {"query": "tea"})])
def test_a_tool_is_called_as_asked(newcomer, kind, text, arguments):
    newcomer.meet(kind)
    newcomer.hears("I like tea")
    assert "I like tea" in newcomer.hears(text)
    name, given = newcomer.calls()[0]
    given.pop("request_heartbeat", None)
    assert (name, given) == ("conversation_search", arguments)


def test_a_tool_that_is_not_there_and_one_that_fails_are_said_so(newcomer):
    newcomer.meet()
    assert "no tool called launch_rocket" in newcomer.hears("call launch_rocket")
    assert "memory_insert" in newcomer.hears("call launch_rocket")
    assert "failed" in newcomer.hears('call memory_replace with {"label": "human", "old_string": "absent", "new_string": "x"}')


def test_what_is_no_longer_in_the_context_is_found_in_the_conversation(newcomer):
    newcomer.meet()
    newcomer.hears("Yesterday the parcel went to Oslo")
    assert "parcel went to Oslo" in newcomer.hears("Where is the parcel?")


def test_the_same_words_get_the_same_answer(newcomer):
    texts = ["Hello", "I am Grace", "What's my name?", "search for Grace", "gibberish", "Forget my name"]
    talks = []
    for _ in range(2):
        newcomer.meet()
        talks.append([newcomer.hears(text) for text in texts])
    assert talks[0] == talks[1]


def test_an_agent_without_memory_says_so(newcomer):
    newcomer.meet(include_base_tools=False)
    assert "no memory" in newcomer.hears("My name is Grace")
