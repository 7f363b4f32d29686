"""One agent that is talked to by random requests, and what is looked at behind each.

A sequence is its seed: the requests, how the model answers them and where the server is killed all follow from it. Behind every
operation `check` asks whether what was acknowledged is in the history, once and in order; whether the window, what waits and the
memory are as they should be; and whether what the model would be sent next passes the validators. What it was sent, passed them
on its way (answering_model)."""

import collections
import json
import random
import re
import threading

import kinds
import operations
import operations_group
import operations_window
import pairing
import rules
import stele
from answering_model import SUMMARISE, AnsweringModel, Step
from client import Client, Gone
from group import Group
from partner import Partner
from reference import Agent, Place, Waiting, essence, key_of

KILLS_ONE_IN = 25  # sequences: a start costs as much as fifty requests
HUMAN = re.compile(r"<human>.*?<value>\n(.*?)\n?</value>", re.DOTALL)
PERSONA = re.compile(r"<persona>.*?<value>\n(.*?)\n?</value>", re.DOTALL)


def kills(seed: int) -> bool:
    return seed % KILLS_ONE_IN == 0


class Outcome:
    """What became of a message: `end` is a stop reason, "failed", "refused" or "gone"."""

    def __init__(self, end: str, messages=(), refusal: stele.Refused | None = None, woken: list[str] | None = None):
        self.end, self.messages, self.refusal = end, list(messages), refusal
        self.woken = woken or []  # runs of the agent's partner

    def __str__(self):
        return self.end + (f" ({self.refusal})" if self.refusal else "")


def joined(events: list[dict]) -> list[dict]:
    """The messages that the pieces of a token stream make up. Those of calls are left to the tests of streams."""
    found: dict[tuple[str, str, str], dict] = {}
    for event in events:
        kind = event["message_type"]
        key = (event.get("id"), kind, event.get("otid"))
        if kind in ("assistant_message", "reasoning_message") and key in found:
            name = "content" if kind == "assistant_message" else "reasoning"
            found[key][name] += event[name]
        elif kind == "tool_return_message" or kind in ("assistant_message", "reasoning_message"):
            found[key] = dict(event)
        elif kind.endswith("_message") and kind != "error_message":
            found[key] = {name: event[name] for name in ("id", "message_type", "otid")}
    return list(found.values())


class Sequence:
    def __init__(self, server: stele.Server, model: AnsweringModel, seed: int):
        self.server, self.model, self.seed = server, model, seed
        self.dice = random.Random(seed)
        self.client = Client(server.port)
        self.log: list[str] = []
        self.number = 0
        self.kills = kills(seed)
        self.kind = kinds.choose(self.dice)
        self.parallel = self.dice.random() < 0.7 and self.kind.speaks_in_text and not self.kind.rules
        self.asks = self.dice.random() < 0.6  # memory_insert needs approval
        if self.kills:
            self.kind.sleeps = 0  # what a crash cuts off is read again: tests/api/test_sleeptime.py
        self.ids = self.dice.choice(["fresh", "fresh", "repeated", "twins"])  # how the model names its calls
        self.done: collections.Counter = collections.Counter()  # operations
        self.known = Agent()
        self.places = [Place()]
        self.partner: Partner | None = None
        self.group: Group | None = None

    # ---- the run ----

    def run(self):
        try:
            self.begin()
            for _ in range(self.dice.randrange(3, 12)):
                self.step()
            for place in list(self.places):
                self.say_plainly(place)
            if self.partner:
                self.partner.check()
            if self.group:
                operations_group.leave(self)
            wrong = next((self.model.wrong[each] for each in (self.agent, self.partner and self.partner.id, "") if each in self.model.wrong), None)
            assert not wrong, wrong
            self.client.delete(f"/v1/agents/{self.agent}")
            self.model.forget(self.agent)
        except (AssertionError, stele.Refused, Gone, KeyError, IndexError, TypeError) as failure:
            told = "\n".join(f"  {line}" for line in self.log)
            raise AssertionError(f"sequence {self.seed} (pytest tests/model --seed {self.seed}):\n{told}\n{failure!r}") from failure
        finally:
            self.client.close()

    def begin(self):
        rules = self.kind.rules + ([{"type": "requires_approval", "tool_name": "memory_insert"}] if self.asks else [])
        made = self.client.post("/v1/agents", {
            **self.kind.settings(),
            "system": "Be brief.", "memory_blocks": [{"label": "human", "value": ""}, {"label": "persona", "value": "Ada"}],
            "tool_rules": rules, "compaction_settings": {"prompt": SUMMARISE},
            "model_settings": {"provider_type": "openai", "parallel_tool_calls": self.parallel}})
        self.agent, self.kind.tools = made["id"], [tool["name"] for tool in made["tools"]]
        self.places[0].window = made["message_ids"]
        if self.kind.greets:
            self.model.starts_with_agent.add(self.agent)
        if self.kind.sleeps:
            self.partner = Partner(self.client, made, self.kind.sleeps)
        if self.kind.talks:
            self.group = operations_group.begin(self, made)
        self.log.append(f"{self.agent}: {self.kind}, parallel {self.parallel}, asks {self.asks}, ids {self.ids}, kills {self.kills}")

    def step(self):
        place = self.dice.choice(self.places)
        does = operations.choose(self, place)
        self.done.update([does])
        self.log.append(f"{does.__name__} in {place.conversation or 'default'}")
        does(self, place)
        wrong = self.model.wrong.get(self.agent)
        assert not wrong, wrong
        # The next plain message works; not always asked for, so that operations also follow one another directly.
        if place in self.places and self.dice.random() < 0.4:
            self.say_plainly(place)

    def say_plainly(self, place: Place):
        """What must always work. A call that waits has its way out first."""
        if place.waits:
            operations.deny(self, place)
        operations.say(self, place)

    # ---- requests ----

    def mark(self) -> str:
        self.number += 1
        return f"m{self.number}"

    def attempt(self, call, *arguments, **more):
        """(answer, refusal, gone): one of them. A sequence that kills may kill the server meanwhile."""
        wait, killer = self.dice.uniform(0, 0.012), None
        if self.kills and self.dice.random() < 0.3:
            self.log.append(f"    killed {wait * 1000:.1f} ms later")
            killer = threading.Timer(wait, self.server.kill)
            killer.start()
        try:
            return call(*arguments, **more), None, False
        except stele.Refused as refusal:
            return None, refusal, False
        except Gone:
            assert killer, "the server has died by itself"
            return None, None, True
        finally:
            if killer:
                killer.join()
                self.client.close()
                self.server.start()
                active = self.client.get(f"/v1/runs?active=true&agent_id={self.agent}")
                assert not active, f"called active after its server has died: {active}"

    def path(self, place: Place, rest: str = "") -> str:
        return (f"/v1/conversations/{place.conversation}" if place.conversation else f"/v1/agents/{self.agent}") + rest

    def talk(self, place: Place, body: dict, headers=None, made: rules.Made = ()) -> Outcome:
        """Sends messages by a door of the dice's choice: blocking, a stream of messages, a stream of tokens. `made`: calls that the
        request has made before the model is asked."""
        door = self.dice.choice(["blocking", "stream", "tokens"]) if headers is None else "blocking"
        if place.conversation:
            path, body = self.path(place, "/messages"), {**body, "streaming": door != "blocking"}
        else:
            path = self.path(place, "/messages" if door == "blocking" else "/messages/stream")
        if door == "blocking":
            answer, refusal, gone = self.attempt(self.client.post, path, body, headers=headers)
        else:
            answer, refusal, gone = self.attempt(self.client.events, path, {**body, "stream_tokens": door == "tokens"})
        outcome = self.outcome(answer, refusal, gone)
        self.log.append(f"    {door}: {json.dumps(body)[:160]} -> {outcome}"[:400])
        if outcome.end not in ("gone", "refused"):
            self.check_sent(place, made, "client_tools" in body)
        return outcome

    @staticmethod
    def outcome(answer, refusal, gone) -> Outcome:
        if gone:
            return Outcome("gone")
        if refusal:
            failed = "error" in refusal.body  # of the model; what the request itself did wrong has a `detail`
            assert refusal.status < 500 or failed, refusal
            return Outcome("failed" if failed else "refused", refusal=refusal)
        if isinstance(answer, dict):
            return Outcome(answer["stop_reason"]["stop_reason"], answer["messages"], woken=answer["usage"]["run_ids"])
        reasons = [event["stop_reason"] for event in answer if event["message_type"] == "stop_reason"]
        assert len(reasons) == 1, f"a stream has one stop reason: {reasons}"
        failed = any(event["message_type"] == "error_message" for event in answer)
        woken = next((event["run_ids"] for event in answer if event["message_type"] == "usage_statistics"), None)
        return Outcome("failed" if failed else reasons[0], joined(answer), woken=woken)

    def will(self, place: Place, *steps, then=None):
        said = [again for step in steps for again in [step] * (3 if isinstance(step, kinds.Reminded) else 1)]
        self.model.will(self.agent, place.conversation, *said, then=then or self.answer("fine"))

    def answer(self, text: str, reasoning: str | None = None, step=Step) -> Step:
        """Words to the person that end a turn, the way that this kind of agent says them."""
        return self.kind.answer(operations.call_ids(self, 1)[0], text, reasoning, step)

    @property
    def answered(self) -> str:
        """What an answered message leaves of the window."""
        return "begun" if self.kind.clears else "grown"

    def went_well(self, woken: list[str] | None = None):
        """A turn has ended well, which may have woken the agent's partner. `woken`: the runs that it told of, None if nobody listened."""
        if self.partner:
            self.partner.hears_of({mark for place in self.places for mark in place.said}, woken)

    def unheard(self, place: Place, mark: str | None, lines=()):
        """The server died before it answered: the request went through or it did not, and what is there tells which."""
        place.unsure += [mark] if mark else []
        self.known.unsure_lines += lines
        place.forget_edits()
        self.read_waiting(place)
        self.check(place, "any" if place.by_hand or self.kind.clears else "grown")
        place.by_hand = False if place.said[-1:] == [mark] else place.by_hand

    # ---- what must hold ----

    def check(self, place: Place, window="grown", last: str | None = None):
        """`window`: "grown", "same", "mended" (grown, and also within), "begun" (all but the system message is new), "any", or the ids
        that it must hold; `last`: the id at its end."""
        context = self.context(place)
        ids, old = [message["id"] for message in context], place.window
        if window == "grown":
            assert ids[:len(old)] == old, f"the window was {old}, is {ids}"
        elif window == "mended":
            assert [each for each in ids if each in old] == old, f"the window was {old}, is {ids}"
        elif window == "begun":
            assert ids[:1] == old[:1] and not set(ids[1:]) & set(old[1:]), f"the window was {old}, is {ids}"
            assert [message["role"] for message in context[:2]] == ["system", "user"], f"the window begins with {context[:2]}"
        elif window != "any":
            assert ids == (old if window == "same" else window), f"the window is {ids}, should be {old if window == 'same' else window}"
        assert last is None or ids[-1] == last, f"the window ends in {ids[-1]}, not in {last}"
        back = self.group and not place.conversation and self.group.forgotten & set(ids)
        assert not back, f"{back} was said in a group that has forgotten it"
        if not self.kind.speaks_in_text and window in ("grown", "begun"):
            kinds.check_heartbeats([message for message in context if message["id"] not in old])
        place.window = ids
        self.check_waiting(place, context)
        self.check_history(place)
        self.check_preview(place)

    def check_waiting(self, place: Place, context: list[dict]):
        turns = pairing.from_stored(context)
        waiting = pairing.waiting(turns) if context[-1]["role"] == "approval" and context[-1]["tool_calls"] else []
        asked = {call["id"] for call in context[-1]["tool_calls"]} if waiting else set()
        assert asked == {each.id for each in place.waits}, f"{asked} wait, and should: {place.waits}"
        if place.orphans:
            turns = pairing.without_orphans(turns)  # they are sent to nobody
        if not place.by_hand:
            turns += [pairing.Turn("tool", "-", [], call.id) for call in waiting]
            self.begin_with_user(turns)
            pairing.check([*turns, pairing.Turn("user", "next")], "what is stored")

    def context(self, place: Place) -> list[dict]:
        """The window, as it is stored."""
        return self.client.get(f"/v1/agents/{self.agent}/context?conversation_id={place.conversation or 'default'}")["messages"]

    def read_waiting(self, place: Place):
        """Where the client can't know: whether its request went through, or what came back with a window of old."""
        context = self.context(place)
        last, before = context[-1], context[-2:-1]
        calls = last["tool_calls"] or [] if last["role"] == "approval" else []
        place.waits = [Waiting(call["id"], call["function"]["name"], line_of(call["function"])) for call in calls]
        parked = before[0]["tool_calls"] or [] if calls and before and before[0]["step_id"] == last["step_id"] and before[0]["role"] == "assistant" else []
        place.parked = [line for call in parked if (line := line_of(call["function"]))]

    def history(self, place: Place) -> list[dict]:
        path = self.path(place, "/messages?order=asc&limit=1000") + ("" if place.conversation else "&conversation_id=default")
        return self.client.get(path)

    def check_history(self, place: Place):
        listed = self.history(place)
        marks = [str(message["content"]).split()[0] for message in listed if message["message_type"] == "user_message"]
        place.check_said([mark for mark in marks if re.fullmatch(r"m\d+", mark)])
        there = {key_of(message): essence(message) for message in listed}
        for key, told in place.told.items():
            assert key in there, f"told and not there: {key} {told}"
            assert told.items() <= there[key].items(), f"told {told}, stored {there[key]}"
        operations_window.check_repairs(listed)
        self.made = made_lines(listed)

    def begin_with_user(self, turns: list):
        if self.agent in self.model.starts_with_agent:
            turns.insert(1, pairing.Turn("user", "what adapters put in front of an agent that begins"))

    def check_sent(self, place: Place, made: rules.Made = (), client_tools=False):
        """What a turn has offered its model, request by request. `made` as for talk."""
        requests = self.model.sent_to(self.agent, place.conversation) if self.kind.rules else []
        tools = self.kind.tools_for(client_tools)
        for request in requests:
            own = request["messages"][len(requests[0]["messages"]):]
            rules.check_request(self.kind.rules, request, rules.made_in(self.kind.rules, own, made, tools), tools, self.kind.speaks_in_text)

    def check_preview(self, place: Place):
        request = self.client.post(self.path(place, "/messages/preview-raw-payload"), {"input": "next"})
        turns = pairing.from_chat(request)
        assert turns[-1].text == "next"
        self.begin_with_user(turns)
        pairing.check(turns, "what would be sent")
        system = turns[0].text
        self.known.check_lines(HUMAN.search(system)[1], self.made)
        self.known.settle(self.known.persona, PERSONA.search(system)[1])
        self.known.settle(self.known.system, system.split("\n", 1)[0])


def line_of(function: dict) -> str | None:
    """What a call of memory_insert adds."""
    if function["name"] != "memory_insert":
        return None
    try:
        return json.loads(function["arguments"])["new_string"]
    except (json.JSONDecodeError, KeyError):
        return None


def made_lines(listed: list[dict]) -> set[str]:
    """The lines whose calls have returned well."""
    asked, made = {}, set()
    for message in listed:
        for call in message.get("tool_calls") or []:
            asked[call["tool_call_id"]] = line_of(call)
        if message["message_type"] == "tool_return_message":
            made |= {asked.get(each["tool_call_id"]) for each in message["tool_returns"] if each["status"] == "success"}
    return made - {None}
