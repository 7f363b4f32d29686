"""Requests about calls that wait for approval, in the forms that clients send them."""

ASK = '@call memory_insert {"label": "human", "new_string": "Likes tea."}'
RULE = {"type": "requires_approval", "tool_name": "memory_insert"}
PARALLEL = {"provider_type": "openai", "parallel_tool_calls": True}
PLACE = {"name": "get_place", "description": "Where the person is.", "parameters": {"type": "object", "properties": {"exact": {"type": "boolean"}}}}


def kinds(messages):
    return [message["message_type"] for message in messages]


def calls_of(answer) -> list[dict]:
    return [call for m in answer["messages"] if m["message_type"] == "approval_request_message" for call in m["tool_calls"]]


def verdict(call_id: str, approve: bool = True, reason: str | None = None) -> dict:
    return {"type": "approval", "tool_call_id": call_id, "approve": approve, **({"reason": reason} if reason else {})}


def result(call_id: str, value="42", status: str = "success", **more) -> dict:
    return {"type": "tool", "tool_call_id": call_id, "tool_return": value, "status": status, **more}


def decide(*decisions, **more) -> dict:
    return {"messages": [{"type": "approval", "approvals": list(decisions), **more}]}


class Talk:
    """One agent whose memory_insert needs approval, with plain HTTP."""

    made: list["Talk"] = []

    def __init__(self, http, **fields):
        fields.setdefault("tool_rules", [RULE])
        self.http = http
        self.agent = http.post("/v1/agents", {"memory_blocks": [{"label": "human", "value": ""}], "include_base_tool_rules": False, **fields})
        self.path = f"/v1/agents/{self.agent['id']}"
        Talk.made.append(self)

    @classmethod
    def leave_nothing(cls):
        while cls.made:
            talk = cls.made.pop()
            talk.http.delete(talk.path)

    def send(self, body, **more):
        return self.http.post(self.path + "/messages", body, **more)

    def say(self, text, **more):
        return self.send({"input": text, **more})

    def ask(self, text=ASK, **more) -> list[dict]:
        """Has the model make calls that wait; gives the waiting calls."""
        answer = self.say(text, **more)
        assert answer["stop_reason"]["stop_reason"] == "requires_approval", answer
        assert answer["messages"][-1]["message_type"] == "approval_request_message"
        return calls_of(answer)

    def history(self):
        return self.http.get(self.path + "/messages?limit=200&order=asc&use_assistant_message=false")

    def state(self, include=""):
        return self.http.get(self.path + include)

    def pending(self):
        return self.state("?include=agent.pending_approval")["pending_approval"]

    def human(self) -> str:
        return self.http.get(self.path + "/core-memory/blocks/human")["value"]

    def is_well(self):
        """The next message works, and every call in the context has its one return."""
        assert self.say("@say well")["messages"][-1]["content"] == "well"
        assert_paired(self.http.get(self.path + "/context")["messages"])


def assert_paired(context):
    """Every call has exactly one return behind it, before anything else is said. `context`: as /context shows it."""
    open_calls = []
    for message in context:
        if message["role"] == "tool":
            for each in message["tool_returns"]:
                open_calls.remove(each["tool_call_id"])
        elif message["role"] == "approval":
            open_calls += [call["id"] for call in message["tool_calls"] or []]
        else:
            assert not open_calls, f"not answered: {open_calls}"
            open_calls += [call["id"] for call in message["tool_calls"] or []]
    assert not open_calls, f"not answered: {open_calls}"
