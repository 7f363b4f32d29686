"""What a tool sees of its agent: the API's object by attributes, and the helpers of its memory."""


class Namespace:
    """A JSON object by attributes. A field that is absent reads as an error, as on any object."""

    def __init__(self, members):
        for name, value in members.items():
            setattr(self, name, namespaced(value))

    def __repr__(self):
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"

    def __eq__(self, other):
        return isinstance(other, Namespace) and vars(self) == vars(other)

    def __getitem__(self, name):
        return getattr(self, name)

    def get(self, name, default=None):
        return getattr(self, name, default)

    def model_dump(self):
        return {name: plain(value) for name, value in vars(self).items()}


class Memory(Namespace):
    """The blocks of the agent. What a tool changes is written back after the call, within the blocks' limits."""

    def __init__(self, members):
        super().__init__(members)
        if not isinstance(getattr(self, "blocks", None), list):
            self.blocks = []

    def get_block(self, label):
        for block in self.blocks:
            if block.label == label:
                return block
        raise KeyError(f"Block field {label} does not exist (available sections = {', '.join(self.list_block_labels())})")

    def get_blocks(self):
        return list(self.blocks)

    def list_block_labels(self):
        return [block.label for block in self.blocks]

    def update_block_value(self, label, value):
        if not isinstance(value, str):
            raise ValueError("The value of a block must be a string")
        self.get_block(label).value = value


class AgentState(Namespace):
    def __init__(self, members):
        members = dict(members)
        memory = members.pop("memory", None)
        blocks = members.get("blocks")
        super().__init__(members)
        if not isinstance(memory, dict):
            memory = {}
        if not memory.get("blocks") and isinstance(blocks, list):
            memory = {**memory, "blocks": blocks}
        self.memory = Memory(memory)
        self.tools = []
        self.tool_rules = []
        self._before = self._values()

    def _values(self):
        return {block.label: block.value for block in self.memory.blocks if isinstance(block, Namespace)}

    def _changed(self):
        """Label and value of the blocks that are another text than before."""
        return {
            label: value
            for label, value in self._values().items()
            if isinstance(value, str) and self._before.get(label) != value
        }


def namespaced(value):
    if isinstance(value, dict):
        return Namespace(value)
    if isinstance(value, list):
        return [namespaced(item) for item in value]
    return value


def plain(value):
    if isinstance(value, Namespace):
        return value.model_dump()
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value
