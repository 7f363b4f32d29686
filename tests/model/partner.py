"""The partner of an agent with sleeptime: when it wakes, and that what was said to the agent is read by it, once and in order."""

import re

import scripted_model

PATIENCE = 60
READ = re.compile(r"^user: (m\d+)\b", re.MULTILINE)


class Partner:
    def __init__(self, client, agent: dict, frequency: int):
        self.client, self.frequency = client, frequency
        self.group = agent["managed_group"]["id"]
        self.id = agent["managed_group"]["agent_ids"][0]
        self.turns = 0  # that have ended well
        self.due: list[str] = []  # marks that it has been woken to read, oldest first
        client.patch(f"/v1/groups/{self.group}", {"manager_config": {"manager_type": "sleeptime", "sleeptime_agent_frequency": frequency}})

    def rests(self):
        """Waits until it has read what it was woken for."""
        scripted_model.wait(lambda: self.client.get(f"/v1/runs?active=true&agent_id={self.id}") == [], PATIENCE)

    def hears_of(self, said: set[str], woken: list[str] | None):
        """A turn has ended well. `said`: the marks in the agent's histories by now; `woken`: the runs that it told of, None if nobody listened."""
        due = self.turns % self.frequency == 0
        self.turns += 1
        assert woken is None or bool(woken) == due, f"turn {self.turns} of an agent whose partner wakes every {self.frequency} turns has woken {woken}"
        if due:
            self.due += sorted(said - set(self.due), key=lambda mark: int(mark[1:]))
            self.rests()

    def check(self):
        told = self.client.get(f"/v1/agents/{self.id}/messages?limit=1000&order=asc")
        read = [mark for message in told if message["message_type"] == "user_message" for mark in READ.findall(message["content"])]
        assert read == self.due, f"{read} was read, and should: {self.due}"
