"""Clients whose agents ask before they act, while the server dies under them: between the question, the decision, the calls
that it lets go on, and the answer. A decision is sent until it has been heard; its calls are made once."""

import json

from workers import Life, Talker

QUESTIONS_PER_AGENT = 25  # few enough that the window holds them all
PLACE = {"name": "get_place", "parameters": {"type": "object", "properties": {}}}


class Asker(Talker):
    """Has calls made that wait, alone or beside others, of the server or of the client, and decides about them."""

    def __init__(self, server, seed):
        super().__init__(server, seed, "letta_v1_agent")

    def act(self):
        if not self.lives or len(self.lives[-1].acknowledged) >= QUESTIONS_PER_AGENT:
            agent = self.http.post("/v1/agents", {
                "memory_blocks": [{"label": "human", "value": ""}], "include_base_tool_rules": False,
                "tool_rules": [{"type": "requires_approval", "tool_name": "memory_insert"}],
                "model_settings": {"provider_type": "openai", "parallel_tool_calls": True}})
            if self.lives:
                self.lives[-1].over = True
            self.lives.append(Life(agent["id"]))
        life = self.lives[-1]
        pending = self.pending(self.http, life)  # left by a question whose answer was lost
        if not pending:
            self.ask(life)
            pending = self.pending(self.http, life)
        self.decide(life, pending)

    def ask(self, life):
        mark = f"mark-{self.name_}-{self.number}"
        lines = [f"{mark}-{letter}" for letter in "abc"[:self.random.randrange(1, 4)]]
        calls = [f'@call memory_insert {{"label":"human","new_string":"{line}"}}' for line in lines]
        calls += self.random.choice([[], ["@call get_place {}"], ['@call conversation_search {"query":"mark"}']])
        self.random.shuffle(calls)
        text = "\n".join(calls)
        if self.random.random() < 0.4:
            reason = self.stream(life, text, client_tools=[PLACE])
        else:
            reason = self.http.post(self.path(life), {"input": text, "client_tools": [PLACE]})["stop_reason"]["stop_reason"]
        assert reason == "requires_approval", reason
        life.acknowledged.append(text)

    def decide(self, life, pending):
        decisions, lines = [], []
        for call in pending["tool_calls"]:
            approve = self.random.random() < 0.7
            if call["name"] == "get_place":
                decisions.append({"type": "tool", "tool_call_id": call["tool_call_id"], "tool_return": "Paris", "status": "success"})
            else:
                decisions.append({"type": "approval", "tool_call_id": call["tool_call_id"], "approve": approve})
                lines += [json.loads(call["arguments"])["new_string"]] if approve else []
        body = {"messages": [{"type": "approval", "approvals": decisions}], "client_tools": [PLACE], "max_steps": 4}
        # The same decision until it has been heard: it is carried out once.
        self.insist(lambda: self.http.post(self.path(life), body))
        life.lines += lines

    @staticmethod
    def pending(http, life):
        return http.get(f"/v1/agents/{life.agent_id}?include=agent.pending_approval")["pending_approval"]

    @classmethod
    def deny_what_waits(cls, http, life):
        if pending := cls.pending(http, life):
            denials = [{"type": "approval", "tool_call_id": call["tool_call_id"], "approve": False} for call in pending["tool_calls"]]
            http.post(cls.path(life), {"messages": [{"type": "approval", "approvals": denials}]})
