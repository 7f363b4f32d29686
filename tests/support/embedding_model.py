"""An embedding server on a socket, in OpenAI's form and in Ollama's own: texts that speak of the same thing are near each other.

`mode` says how it answers: ok, down (closes without a word), slow (when `let_go` is set), unauthorized, broken (500), dimension (one
number too few), limited (429). A text with the word TOOLONG is more than it takes, and so are more than `texts_max` at once."""

import threading

import scripted_model

THINGS = [{"dog", "puppy", "hound", "bark"}, {"car", "automobile", "vehicle"}, {"bread", "bakery", "loaf"}, {"ocean", "sea", "waves"}, {"doctor", "physician", "clinic"}]
DIMENSIONS = 16


def vector(text: str) -> list[float]:
    """One number for each thing, and a little that is the text's own."""
    words = {word.strip(".,!?\"").lower() for word in text.split()}
    things = [float(len(words & thing)) for thing in THINGS]
    own = [0.01 * (sum(text.encode()[i::8]) % 97) / 97 for i in range(8)]
    return (things + own + [0.02] * DIMENSIONS)[:DIMENSIONS]


class EmbeddingModel(scripted_model.ScriptedModel):
    def __init__(self):
        self.mode, self.texts_max = "ok", 10_000
        self.let_go = threading.Event()
        self.batches: list[list[str]] = []  # the texts of each request
        super().__init__({"/v1/models": {"object": "list", "data": [{"id": "mock-embed", "object": "model", "type": "embedding"}, {"id": "m", "object": "model"}]},
                          "/v1/embeddings": self.openai, "/api/tags": {"models": [{"name": "mock-embed"}]},
                          "/api/show": {"capabilities": ["embedding"], "model_info": {"a.embedding_length": DIMENSIONS}}, "/api/embed": self.ollama})

    def environment(self) -> dict:
        return {"OPENAI_API_KEY": "secret-key-of-the-test", "OPENAI_BASE_URL": self.url + "/v1"}

    def config(self) -> dict:
        return {"embedding_endpoint_type": "openai", "embedding_endpoint": self.url + "/v1", "embedding_model": "mock-embed", "embedding_dim": DIMENSIONS, "handle": "openai/mock-embed"}

    def answer(self, connection, path, fields, body):
        if self.mode == "down" and path in ("/v1/embeddings", "/api/embed"):
            self.paths.append(path)
            return False
        return super().answer(connection, path, fields, body)

    def refusal(self, texts: list[str]):
        if self.mode == "slow":
            self.let_go.wait(120)
        if self.mode == "unauthorized":
            return scripted_model.http(401, {"error": {"message": "Incorrect API key provided"}})
        if self.mode == "broken":
            return scripted_model.http(500, {"error": {"message": "it fell over"}})
        if self.mode == "limited":
            return scripted_model.http(429, {"error": {"message": "too many requests"}})
        if any("TOOLONG" in text for text in texts) or len(texts) > self.texts_max:
            return scripted_model.http(400, {"error": {"message": "This model's maximum context length is 8192 tokens", "code": "context_length_exceeded"}})
        return None

    def vectors(self, texts: list[str]) -> list[list[float]]:
        return [vector(text)[:-1] if self.mode == "dimension" else vector(text) for text in texts]

    def openai(self, body: dict):
        texts = body["input"]
        self.batches.append(texts)
        if refused := self.refusal(texts):
            return refused
        data = [{"object": "embedding", "index": i, "embedding": each} for i, each in enumerate(self.vectors(texts))]
        return {"object": "list", "data": data[::-1], "model": body["model"], "usage": {"prompt_tokens": 1, "total_tokens": 1}}  # order is told by the index alone

    def ollama(self, body: dict):
        self.batches.append(body["input"])
        return self.refusal(body["input"]) or {"model": body["model"], "embeddings": self.vectors(body["input"])}
